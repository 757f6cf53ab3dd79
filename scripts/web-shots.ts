/** `npm run web:shots -- FOLDER` makes pictures of every view of the page as it stands before a full stage, in both themes and on a phone. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fullStage } from '../test/harness/page-stage.ts'

const folder = process.argv[2] ?? 'dist/shots'
const sizes = { wide: { width: 1440, height: 900 }, dark: { width: 1440, height: 900, dark: true }, phone: { width: 390, height: 844 } }
const views = { queue: '#q', panel: '#q?task=chat-77d10&owner=codex-desk', history: '#h', sessions: '#s', models: '#m', try: '#t' }

mkdirSync(folder, { recursive: true })
const rig = await fullStage()
for (const [size, opened] of Object.entries(sizes))
  for (const [view, hash] of Object.entries(views)) {
    const page = await rig.open({ ...opened, hash })
    await page.waitForLoadState('networkidle', { timeout: 2000 }).catch(() => undefined)
    await page.screenshot({ path: join(folder, `${view}-${size}.png`) })
    await page.context().close()
  }
const page = await rig.open({ as: 'claude-desk' })
await page.screenshot({ path: join(folder, 'queue-data.png') })
await rig.stop()
for (const complaint of rig.complaints) console.log(complaint)
console.log(folder)

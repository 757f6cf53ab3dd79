import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { talesPool } from '../harness/daemon.ts'
import { says, Tabs } from '../harness/page.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { talesFile, withEngine } from '../harness/real-engines.ts'

withEngine('chromium', 'the page before the embedded engine', () => {
  it('follows a story of a real model, puts another model in its place, and follows a story of that', async () => {
    const dir = temporaryDir()
    const models_dir = join(dir.path, 'models')
    mkdirSync(models_dir)
    for (const name of ['one.gguf', 'other.gguf']) copyFileSync(talesFile, join(models_dir, name))
    const daemon = await DaemonProcess.start(dir.path, { config: { models_dir, pools: [talesPool({ model: 'file:one.gguf' })] } })
    const rig = new Tabs(daemon.url, await Tabs.browser())
    const page = await rig.open({ as: null })
    const dialog = page.getByRole('dialog')
    /** Sends a story from the page Try and waits until it is told. */
    const story = async (): Promise<void> => {
      await page.goto(`${daemon.url}/#t`)
      await page.getByLabel('Prompt').fill('Tell me a story about a fox.')
      await page.getByRole('button', { name: 'Send' }).click()
      await says(page.locator('pre.answer'), /\w+ \w+ \w+/)
      await says(page.locator('section[aria-labelledby=answer] p'), /^Ended \(stop\)/)
      await page.goto(`${daemon.url}/#q`)
    }
    await says(page.locator('#pool-tales .st'), '● ready')
    await story()
    await page.locator('#pool-tales').getByRole('button', { name: 'Reload' }).click()
    await dialog.getByLabel('Model').fill('file:other.gguf')
    await dialog.getByRole('button', { name: 'Reload tales' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await says(page.locator('#pool-tales tr.lane'), /other · llama\.cpp/)
    await says(page.locator('#pool-tales .st'), '● ready')
    await story()
    assert.deepEqual(rig.complaints, [])
    await rig.close()
    await daemon.stop()
    dir.remove()
  })
})

import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { says, type Opened, type PageRig } from '../harness/page.ts'
import { fullStage } from '../harness/page-stage.ts'
import { withEngine } from '../harness/real-engines.ts'

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** What axe finds on a page, each with the place. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations: found } = await page.evaluate<{ violations: Violation[] }>('axe.run()')
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`))
}

/** What a finger is to meet and is lower than 44 pixels. */
const tooSmall = `[...document.querySelectorAll('button, select, input, nav a, td.t a')]
  .filter((one) => one.offsetParent !== null && !['checkbox', 'radio'].includes(one.type) && one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML.slice(0, 100) + ' ' + one.getBoundingClientRect().height)`

withEngine('chromium', 'every view of the page', () => {
  let rig: PageRig
  before(async () => {
    rig = await fullStage()
  })
  after(() => rig.stop())
  afterEach(() => rig.closeTabs())

  const views = { queue: '#q', panel: '#q?task=chat-77d10&owner=codex-desk', history: '#h', sessions: '#s', models: '#m', try: '#t' }
  const looks: Record<string, Opened> = { light: {}, dark: { dark: true }, 'on a phone': { width: 390, height: 844 } }
  for (const [look, opened] of Object.entries(looks))
    for (const [view, hash] of Object.entries(views))
      it(`has nothing that hinders anybody: ${view}, ${look}`, async () => {
        const page = await rig.open({ ...opened, hash })
        await page
          .locator(view === 'panel' ? '#task .say' : view === 'try' ? 'option' : 'td')
          .first()
          .waitFor({ state: 'attached' })
        assert.deepEqual(await violations(page), [])
        assert.deepEqual(rig.complaints, [])
        const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
        assert.ok(wider <= 0, `the page is ${wider} pixels wider than the screen`)
        if (look === 'on a phone') assert.deepEqual(await page.evaluate<string[]>(tooSmall), [])
      })

  it('shows a data key nothing of others', async () => {
    const page = await rig.open({ as: 'claude-desk' })
    await says(page.locator('#pool-coder tr.oth').first(), /^\d+ tasks? of others waiting$/)
    assert.equal(await page.getByRole('button', { name: /^(Drain|Reload|Resume|Load now)$/ }).count(), 0)
    for (const hash of ['#q', '#q?task=web-1168&owner=webapp', '#h', '#s', '#m']) {
      await page.goto(`${rig.daemon.url}/${hash}`)
      await page.locator('main').waitFor()
      const text = await page.locator('body').innerText()
      for (const secret of ['codex-desk', 'nightly-evals', 'emb-99', 'aider-', 'ops'])
        assert.ok(!text.includes(secret), `${secret} on ${hash}`)
      if (!hash.includes('web-1168')) assert.ok(!text.includes('web'), `webapp on ${hash}`)
    }
  })
})

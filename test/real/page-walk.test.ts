import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { says, type PageRig } from '../harness/page.ts'
import { situations } from '../harness/page-situations.ts'
import { withEngine } from '../harness/real-engines.ts'

/** What somebody asks who never saw the page, and what it answers. */
interface Answers {
  /** Why the task of `webapp` waits. */
  readonly why: RegExp
  /** Who has the engines. */
  readonly holder: string
  /** What is broken or unusual. */
  readonly broken: readonly RegExp[]
  /** The state of the pool it waits in. */
  readonly state: string
  /** Whether a restart loses anything. */
  readonly restart: string
}

const answers: Readonly<Record<keyof typeof situations, Answers>> = {
  full: {
    ...{ why: /^all slots are busy, 5 ahead$/, holder: 'nightly-evals', broken: [], state: '● ready' },
    restart: 'Nothing is lost. 7 waiting are kept. Of 4 running 4 run again.',
  },
  loading: {
    ...{ why: /^the model is being loaded$/, holder: 'claude-desk', broken: [], state: '◔ loading' },
    restart: 'Nothing is lost. 2 waiting are kept. Nothing runs.',
  },
  asleep: {
    ...{ why: /^vision has the GPU$/, holder: 'claude-desk', broken: [], state: '○ asleep' },
    restart: 'Nothing is lost. 2 waiting are kept. Of 2 running 2 run again.',
  },
  down: {
    ...{ why: /^all slots are busy, 1 ahead$/, holder: 'codex-desk', state: '▲ half up' },
    broken: [
      /^✕ coder\/b is down: CUDA error: an illegal memory access\. .* restart in 0:\d\d \(\d so far\); 2 of 4 slots of coder are missing\. Show$/,
    ],
    restart: 'Nothing is lost. 2 waiting are kept. Of 2 running 2 run again.',
  },
  draining: {
    ...{ why: /^the pool drains; this is among its last tasks$/, holder: 'codex-desk', state: '◐ draining' },
    broken: [
      /^◐ coder drains: it takes no new tasks, 2 running and 1 waiting are worked off; what is left fails in (30:00|29:\d\d)\. Show$/,
    ],
    restart: 'Nothing is lost. 1 waiting is kept. Of 2 running 2 run again.',
  },
}

/** Those of some places of a page that are not seen without scrolling. */
async function unseen(page: Page, places: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const place of places) {
    const box = await page.locator(place).first().boundingBox()
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
    const isSeen = box !== null && box.y >= 0 && box.x >= 0 && box.y + box.height <= height && box.x + box.width <= width
    if (!isSeen) found.push(place)
  }
  return found
}

withEngine('chromium', 'the first view of the page', () => {
  let rig: PageRig | undefined
  afterEach(async () => {
    await rig?.stop()
    rig = undefined
  })

  for (const [name, stage] of Object.entries(situations))
    it(`answers why and until when a task waits, who has the engines, what is broken and what a restart loses: ${name}`, async () => {
      const { why, holder, broken, state, restart } = answers[name as keyof typeof situations]
      rig = await stage()
      const page = await rig.open()
      const row = 'tr.w[data-task^=webapp]'
      await says(page.locator(`${row} td.y`), why)
      await says(page.locator(`${row} td.s`), /^\d+:\d\d$/)
      await says(page.locator(`${row} td.ot`), '100 %')
      await says(page.locator(`tbody:has(${row}) .st`), state)
      const keys = 'section[aria-labelledby=keys] tbody tr'
      await says(page.locator(`${keys} td:first-child`).first(), holder)
      await says(page.locator('.now dd.s'), restart)
      for (const one of broken) await says(page.locator('.att li'), one)
      assert.equal(await page.locator('.att li').count(), broken.length)
      const places = [`${row} td.y`, `${row} td.s`, `tbody:has(${row}) .st`, keys, '.now dd.s', ...(broken.length === 0 ? [] : ['.att li'])]
      assert.deepEqual(await unseen(page, places), [])
      assert.deepEqual(rig.complaints, [])
    })
})

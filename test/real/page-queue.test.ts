import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { PageRig, pagePool, says } from '../harness/page.ts'
import { withEngine } from '../harness/real-engines.ts'
import { until, untilAnswer } from '../harness/wait.ts'

withEngine('chromium', 'the page before a queue', () => {
  let rig: PageRig
  let page: Page
  before(async () => {
    const pools = [
      pagePool('coder', { a: 1, b: 1 }),
      pagePool('twin', { r0: 1 }, { queue: { capacity: 1000 } }),
      pagePool('box', { r0: 1 }),
      pagePool('vision', { r0: 1 }),
    ]
    rig = await PageRig.start({ pools, groups: [{ id: 'gpu', pools: ['box', 'vision'] }] })
  })
  after(() => rig.stop())
  beforeEach(async () => {
    page = await rig.open()
  })
  afterEach(async () => {
    await rig.closeTabs()
    await rig.empty()
    assert.deepEqual(rig.complaints.splice(0), [])
  })

  const lane = (pool: string, rows: string): Locator => page.locator(`#pool-${pool} ${rows}`)
  const ids = (rows: Locator): Locator => rows.locator('td.t a')
  const dialog = (): Locator => page.getByRole('dialog')

  it('shows how a queue fills, how a task gets on, and how the next one starts', async () => {
    await page.getByText('Nothing runs and nothing waits.').waitFor()
    // Where several models are served, a task has to name one.
    await says(page.locator('.idle pre'), /^curl http:\S+ .* -d '\{"model_ref":"[^"]+","prompt":"Once upon a time"\}'$/)
    await rig.task('webapp', { task_id: 'first', model_ref: 'mock:twin', max_tokens: 40 })
    await rig.task('codex-desk', { task_id: 'second', model_ref: 'mock:twin' })
    await rig.task('webapp', { task_id: 'third', model_ref: 'mock:twin' })
    await says(ids(lane('twin', 'tr.r')), ['first'])
    await says(ids(lane('twin', 'tr.w')), ['second', 'third'])
    await says(lane('twin', 'tr.w td.p'), ['0', '1'])
    await says(lane('twin', 'tr.w td.y'), ['starts with the next free slot', 'all slots are busy, 1 ahead'])
    const engine = rig.engine('twin/r0')
    for (let i = 0; i < 10; i++) engine.call.say('word ')
    await says(lane('twin', 'tr.r td.y'), 'decode 10 of 40')
    assert.equal(await lane('twin', 'tr.r .bar').getAttribute('aria-label'), '25 %')
    await says(page.locator('.now dd').first(), /^1 of 3 slots up, 5 in all$/)
    engine.call.finish()
    await says(ids(lane('twin', 'tr.r')), ['second'])
    await says(ids(lane('twin', 'tr.w')), ['third'])
    await untilAnswer(
      () => page.title(),
      (title) => title === '1 waiting, 1 running: orchestratord',
      'the title',
      60_000,
    )
  })

  it('cancels a task after a question that no second press answers', async () => {
    await rig.task('webapp', { task_id: 'kept', model_ref: 'mock:twin' })
    await rig.task('codex-desk', { task_id: 'unwanted', model_ref: 'mock:twin' })
    await says(ids(lane('twin', 'tr.w')), ['unwanted'])
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('c')
    await dialog().getByRole('heading', { name: 'Cancel unwanted?' }).waitFor()
    await says(dialog().locator('li').first(), 'It is waiting at place 0 and belongs to codex-desk.')
    await page.keyboard.press('c')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Leave it')
    await page.keyboard.press('Enter')
    await dialog().waitFor({ state: 'hidden' })
    assert.equal((await rig.ask('/v1/tasks/unwanted?owner=codex-desk')).json['state'], 'queued')
    await page.getByRole('button', { name: 'Cancel unwanted' }).click()
    await dialog().getByRole('button', { name: 'Cancel task' }).click()
    await says(page.locator('.fail li').first(), /CANCELED .*unwanted · codex-desk/)
    await says(ids(lane('twin', 'tr.w')), [])
  })

  it('drains and resumes a pool, and says beforehand what will follow', async () => {
    await rig.task('webapp', { task_id: 'runs', model_ref: 'mock:twin' })
    await rig.task('webapp', { task_id: 'waits', model_ref: 'mock:twin' })
    await says(ids(lane('twin', 'tr.w')), ['waits'])
    await lane('twin', 'tr.lane').getByRole('button', { name: 'Drain' }).click()
    await says(dialog().locator('li').nth(1), '1 running task finishes.')
    await says(dialog().locator('li').nth(2), '1 waiting task: no other pool serves its model, so it is worked off here.')
    await dialog().getByLabel('Give running tasks').fill('none')
    await dialog().getByRole('button', { name: 'Drain twin' }).click()
    await says(dialog().getByRole('alert'), 'Minutes have to be a number above 0.')
    await dialog().getByLabel('Give running tasks').fill('5')
    await dialog().getByRole('button', { name: 'Drain twin' }).click()
    await says(lane('twin', '.st'), '◐ draining')
    await says(page.locator('.att li'), /^◐ twin drains/)
    await lane('twin', 'tr.lane').getByRole('button', { name: 'Resume' }).click()
    await dialog().getByRole('button', { name: 'Resume twin' }).click()
    await says(lane('twin', '.st'), '● ready')
    await says(page.locator('.att li'), [])
  })

  it('shows a replica that dies, and that it is back', async () => {
    const [a, b] = [rig.engine('coder/a'), rig.engine('coder/b')]
    // It stays down until it has been seen.
    a.onStart = () => Promise.reject(new Error('CUDA error: an illegal <memory> access'))
    await rig.task('webapp', { task_id: 'again', model_ref: 'mock:coder' })
    await until(() => a.running.length + b.running.length === 1, 'the task runs')
    a.die(new Error('it died'))
    await says(
      page.locator('.att li'),
      /^✕ coder\/a is down: .*CUDA error: an illegal <memory> access\. .* restart in 0:\d\d(?: \(\d so far\))?; 1 of 2 slots of coder are missing\. Show$/,
    )
    await says(lane('coder', '.st'), '▲ half up')
    await says(lane('coder', '.reps'), /✕ a down, .* restart in 0:\d\d(?: \(\d so far\))?: .* ● b ready/)
    a.onStart = () => Promise.resolve()
    await says(lane('coder', '.st'), '● ready')
    await says(page.locator('.att li'), [])
  })

  it('says why another model cannot be put on a pool', async () => {
    await lane('twin', 'tr.lane').getByRole('button', { name: 'Reload' }).click()
    await dialog().getByLabel('Model').fill('file:nothing.gguf')
    await dialog().getByRole('button', { name: 'Reload twin' }).click()
    await says(dialog().getByRole('alert'), /^body\.model_ref: "file:nothing\.gguf" is nothing that mock serves/)
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'hidden' })
  })

  it('loads and unloads the models of a group', async () => {
    await page.goto(`${rig.daemon.url}/#m`)
    const row = (pool: string): Locator => page.locator('tr', { has: page.getByRole('button', { name: `Drain ${pool}` }) })
    await page.getByRole('button', { name: 'Load vision', exact: true }).click()
    await dialog().getByRole('button', { name: 'Load vision' }).click()
    await says(row('vision').locator('td').nth(1), '● ready')
    await says(row('box').locator('td').nth(1), '○ asleep')
    await page.getByRole('button', { name: 'Unload vision' }).click()
    await says(dialog().locator('li').nth(1), 'Nothing runs there.')
    await dialog().getByRole('button', { name: 'Unload vision' }).click()
    await says(row('vision').locator('td').nth(1), '○ asleep')
  })

  it('finds what is asked for by the filter, which is in the address', async () => {
    for (const id of ['one', 'two', 'three'])
      await rig.task(id === 'two' ? 'codex-desk' : 'webapp', { task_id: id, model_ref: 'mock:twin' })
    await says(ids(lane('twin', 'tr.w')), ['two', 'three'])
    await page.keyboard.press('/')
    await page.keyboard.type('codex')
    await says(page.locator('tr[data-task] td.t a'), ['two'])
    assert.equal(new URL(page.url()).hash, '#q?filter=codex')
    await page.reload()
    await says(page.locator('tr[data-task] td.t a'), ['two'])
  })

  it('keeps a long queue to what is seen, to its end', async () => {
    const tasks = 400
    await rig.task('webapp', { model_ref: 'mock:twin' })
    await Promise.all(Array.from({ length: tasks }, () => rig.task('webapp', { model_ref: 'mock:twin', priority: 'batch' })))
    await says(page.locator('#pool-twin tr.more'), /^Show 392 more places 8 to 399: 392 of webapp, last start in/)
    await page.getByRole('button', { name: 'Show 392 more' }).click()
    await page.evaluate("document.querySelector('#pool-twin tr.more').scrollIntoView()")
    await says(lane('twin', 'tr.w td.p').last(), '399')
    await says(ids(lane('twin', 'tr.w')).last(), /^task-/)
    assert.ok((await lane('twin', 'tr').count()) < 120)
  })
})

import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { EngineError } from '../../src/ports/engine.ts'
import { PageRig, pagePool, says } from '../harness/page.ts'
import { withEngine } from '../harness/real-engines.ts'
import { until, untilAnswer } from '../harness/wait.ts'

withEngine('chromium', 'the page before one task', () => {
  let rig: PageRig
  let page: Page
  before(async () => {
    rig = await PageRig.start({ pools: [pagePool('twin', { r0: 1 })] })
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
  const panel = (of = ''): Locator => page.locator(`#task ${of}`)

  it('tells of a task what it does, its text, and how it ended', async () => {
    await rig.task('webapp', { task_id: 'told', model_ref: 'mock:twin', max_tokens: 40, metadata: { label: 'a' } })
    await page.locator('tr[data-task=told] a').focus()
    await page.keyboard.press('Enter')
    await says(panel('.say'), /^Runs on twin\/r0 for 0:\d\d/)
    const { call } = rig.engine('twin/r0')
    call.say('<b>bold</b>\u202e\u0007')
    await says(panel('pre').first(), '<b>bold</b>⟨U+202E⟩␇')
    await says(panel('dl.f'), /Owner webapp · session session-\d+ Asked mock:twin · interactive · at most 40 tokens/)
    call.finish()
    await says(panel('.say'), /^● Completed at \d\d:\d\d:\d\d after 0:\d\d, 1 token: it came to its end\.$/)
    assert.equal(await panel('[data-cancel]').count(), 0)
    await panel().getByRole('button', { name: 'Transcript' }).click()
    await says(panel('pre.document'), /^== Prompt Once upon a time == Asked with .* == Answer <b>bold<\/b>⟨U\+202E⟩␇ == Facts /)
    const download = page.waitForEvent('download')
    await panel().getByRole('button', { name: 'Save as JSON' }).click()
    assert.equal((await download).suggestedFilename(), 'told.json')
    await page.keyboard.press('Escape')
    await panel().waitFor({ state: 'hidden' })
    assert.equal(new URL(page.url()).hash, '#q')
  })

  it('tells why a task failed, in the words of its engine', async () => {
    await rig.task('webapp', { task_id: 'fails', model_ref: 'mock:twin' })
    const engine = rig.engine('twin/r0')
    await until(() => engine.running.length === 1)
    for (let i = 0; i < 3; i++) {
      await until(() => engine.running.length === 1 || rig.daemon.live.size === 0)
      engine.running[0]?.fail(new Error('<img src=x onerror=alert(1)>'))
    }
    await says(page.locator('.fail li b').first(), /^[A-Z_]+$/)
    await page.locator('.fail li a').first().click()
    await says(panel('.say'), /^✕ [A-Z_]+ at /)
    assert.equal(await page.locator('img').count(), 0)
  })

  it('has a track for each run of a task whose engine died under it', async () => {
    await rig.task('webapp', { task_id: 'twice', model_ref: 'mock:twin' })
    const engine = rig.engine('twin/r0')
    await until(() => engine.running.length === 1, 'the first run')
    engine.die(new EngineError('the engine <died>', { retriable: true }))
    await until(() => engine.running.length === 1, 'the second run')
    // The row goes to the queue and comes back.
    await says(page.locator('tr[data-task=twice] td.y'), /^2nd run, /)
    await page.locator('tr[data-task=twice] a').click()
    await says(panel('.tl p').first(), /^Run 1 on twin\/r0: queued 0:00, .*✕ .*/)
    await says(panel('.tl p').nth(1), /^Run 2 on twin\/r0: /)
    await says(panel('.ev li'), /✕ run 1 ended: /)
  })

  it('verifies a model of the catalog', async () => {
    const digest = 'sha256:d9455cd88e099a18219ec2186ccce99c3db89885d95b27bcb38a68b9151f1e88'
    const manifests = [{ path: 'tinytales.gguf', size_bytes: 2_535_680, digest }]
    const model = { id: 'tales', source_url: 'file:models/tinytales.gguf', trust_policy: { mode: 'permissive' }, digest, manifests }
    assert.equal((await rig.ask('/v1/catalog/models', 'POST', model)).status, 201)
    await page.goto(`${rig.url}/#m`)
    await page.getByRole('button', { name: 'Verify tales' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Verify tales' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await untilAnswer(
      () => rig.ask('/v1/catalog/models/tales'),
      ({ text }) => text.includes('"status":"pass"'),
      'the model passes',
      60_000,
    )
    await page.reload()
    await says(
      page
        .locator('tr', { has: page.getByRole('button', { name: 'Verify tales' }) })
        .locator('td')
        .nth(3),
      '● passed',
    )
  })

  it('tries a model: place, text, end, and cancel', async () => {
    await rig.task('webapp', { task_id: 'before', model_ref: 'mock:twin' })
    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.getByLabel('Prompt').fill("It's a start")
    await says(page.getByRole('region', { name: 'curl' }), /'It'\\''s a start'|It'\\''s a start/)
    await page.getByRole('button', { name: 'Send' }).click()
    await says(page.locator('section[aria-labelledby=answer] p'), /^Waits at place 0, starts in about \d:\d\d/)
    const engine = rig.engine('twin/r0')
    engine.call.finish()
    await until(() => engine.calls.length > 1 && engine.running.length === 1)
    engine.call.say('An ')
    engine.call.say('answer')
    await says(page.getByRole('region', { name: 'Text of the answer' }), 'An answer')
    engine.call.finish({ tokens_out: 2 })
    await says(page.locator('section[aria-labelledby=answer] p'), /^Ended \(stop\): 3 tokens in, 2 out\. Open the task$/)
    await page.getByRole('button', { name: 'Send' }).click()
    await until(() => engine.running.length === 1)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await says(page.locator('section[aria-labelledby=answer] p'), /^Canceled\./)
    await until(() => engine.running.length === 0)
  })

  it('lists what was, as it is asked', async () => {
    for (const id of ['old-1', 'old-2', 'other'])
      await rig.task(id === 'other' ? 'codex-desk' : 'webapp', { task_id: id, model_ref: 'mock:twin' })
    await rig.empty()
    await page.goto(`${rig.daemon.url}/#h`)
    await page.locator('td', { hasText: 'other' }).first().waitFor()
    await page.locator('#filter').fill('old-')
    await says(page.locator('td.t'), ['old-2', 'old-1'])
    await page.getByLabel('Key', { exact: true }).fill('codex-desk')
    await page.getByLabel('Key', { exact: true }).blur()
    await page.getByText('No task is like that.').waitFor()
    assert.equal(new URL(page.url()).hash, '#h?filter=old-&key=codex-desk')
  })

  it('deletes a session', async () => {
    await rig.task('webapp', { model_ref: 'mock:twin', session_id: 'to-go' })
    await rig.empty()
    await page.goto(`${rig.daemon.url}/#s`)
    await page.getByRole('button', { name: 'Delete session to-go' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete session' }).click()
    await page.getByRole('button', { name: 'Delete session to-go' }).waitFor({ state: 'detached' })
    assert.equal((await rig.ask('/v1/sessions/to-go?owner=webapp')).status, 404)
  })

  it('asks for a key where keys are configured, and keeps it out of the address', async () => {
    const stranger = await rig.open({ as: null })
    await stranger.getByLabel('Key', { exact: true }).fill('wrong')
    await stranger.keyboard.press('Enter')
    await says(stranger.getByRole('alert'), 'The key is wrong.')
    await stranger.getByLabel('Key', { exact: true }).fill('webapp-key')
    await stranger.keyboard.press('Enter')
    await says(stranger.locator('.me'), 'key: webapp, data Forget')
    assert.ok(!stranger.url().includes('key'))
    await stranger.reload()
    await says(stranger.locator('.me'), 'key: webapp, data Forget')
    await stranger.getByRole('button', { name: 'Forget' }).click()
    await stranger.getByRole('heading', { name: 'Which key?' }).waitFor()
  })

  it('names all its keys', async () => {
    await page.keyboard.press('?')
    await page.getByRole('dialog').getByRole('heading', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  })
})

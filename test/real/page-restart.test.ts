import assert from 'node:assert/strict'
import { says, Tabs } from '../harness/page.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { StreamClient } from '../harness/sse.ts'

const slow = { id: 'slow', engine: 'mock', driver: 'in-process', model: 'mock:slow', ctx: 8192, replicas: [{ id: 'r0', slots: 1 }] }

withEngine('chromium', 'the page over a restart of its daemon', () => {
  it('says that others look already, and looks when one of them goes', async () => {
    const dir = temporaryDir()
    const daemon = await DaemonProcess.start(dir.path, { config: { pools: [slow] } })
    const readers = await Promise.all(Array.from({ length: 8 }, () => StreamClient.events(daemon.url, 'valid')))
    const rig = new Tabs(daemon.url, await Tabs.browser())
    const page = await rig.open({ as: null })
    await says(page.locator('header [role=status]'), /^✕ The key .* reads events 8 times, as often as it may; close one\.$/)
    readers[0]?.drop()
    await says(page.locator('header [role=status]'), '● live')
    for (const reader of readers) reader.drop()
    await rig.close()
    await daemon.stop()
    dir.remove()
  })

  it('opens by itself without keys, says when it is not live, and is live again', async () => {
    const dir = temporaryDir()
    const pools = [{ ...slow, mock: { prefill_ms: 0, token_ms: 60_000, tokens: 8 } }]
    let daemon = await DaemonProcess.start(dir.path, { config: { pools } })
    const rig = new Tabs(daemon.url, await Tabs.browser())
    const page = await rig.open({ as: null })
    await says(page.locator('.me'), 'no key is configured, control')
    await says(page.locator('header [role=status]'), '● live')
    await page.evaluate(
      "fetch('/v1/tasks', { method: 'POST', headers: { 'X-API-Key': 'valid', 'Content-Type': 'application/json' }, body: JSON.stringify({ task_id: 'lasts', prompt: 'a' }) })",
    )
    await says(page.locator('tr.r td.t a'), ['lasts'])
    await daemon.stop('SIGKILL')
    await says(page.locator('header [role=status]'), /^✕ not live for 0:\d\d, trying again$/)
    assert.equal(await page.locator('.stale').count(), 1)
    daemon = await DaemonProcess.start(dir.path, { config: { pools, listen: new URL(daemon.url).host } })
    await says(page.locator('header [role=status]'), '● live')
    assert.equal(await page.locator('.stale').count(), 0)
    await says(page.locator('tr.r td.t a'), ['lasts'])
    assert.deepEqual(
      rig.complaints.filter((text) => !text.includes('ERR_')),
      [],
    )
    await rig.close()
    await daemon.stop()
    dir.remove()
  })
})

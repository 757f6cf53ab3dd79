import assert from 'node:assert/strict'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { ann, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

/** A second life on what the first one left, which has stopped in order. */
async function restarted(rig: Rig, options: RigOptions = {}): Promise<Rig> {
  const stopping = rig.quiesce(0)
  await rig.clock.advance(0)
  await stopping
  await rig.stop()
  return startRig({ clock: rig.clock, ...options, storage: rig.storage })
}

describe("an operator's drain over a restart", () => {
  it('ends what is left at the deadline it was given, not later and not sooner', async () => {
    const rig = await startRig()
    for (const task_id of ['runs', 'waits']) await rig.run({ task_id })
    await rig.drain.order('pool', 10_000)
    await rig.clock.advance(4000)
    const next = await restarted(rig)
    assert.equal(next.pool().draining, true)
    await next.clock.advance(5900)
    assert.equal((await next.tasks.get(ann, 'runs')).state, 'running', 'it works off what it has')
    await next.clock.advance(100)
    await settled()
    for (const task_id of ['runs', 'waits']) assert.equal((await next.tasks.get(ann, task_id)).error?.code, 'POOL_UNREADY', task_id)
    assert.deepEqual([next.live.size, next.pool().scheduler.depth(), next.engine().call.signal.aborted], [0, 0, true])
    assert.equal(next.pool().ends_at, undefined, 'nothing is left to be ended')
    // It stays drained until somebody says otherwise.
    assert.equal(next.pool().draining, true)
  })

  for (const step of [-3_600_000, 3 * 3_600_000])
    it(`keeps its deadline where the machine's clock was set by ${step} ms before it`, async () => {
      const rig = await startRig()
      rig.clock.stepped_ms = step
      await rig.run({ task_id: 't' })
      await rig.drain.order('pool', 10_000)
      await rig.clock.advance(4000)
      const clock = new FakeClock(rig.clock.wallOf(rig.clock.now()))
      const next = await restarted(rig, { clock })
      await clock.advance(5900)
      assert.equal((await next.tasks.get(ann, 't')).state, 'running')
      await clock.advance(200)
      await settled()
      assert.equal((await next.tasks.get(ann, 't')).error?.code, 'POOL_UNREADY')
    })

  it('ends it at once where the deadline passed while the daemon was down', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    await rig.drain.order('pool', 1000)
    const stopping = rig.quiesce(0)
    await rig.clock.advance(0)
    await stopping
    await rig.stop()
    await rig.clock.advance(5000)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    await next.clock.advance(0)
    await settled()
    assert.equal((await next.tasks.get(ann, 't')).error?.code, 'POOL_UNREADY')
  })

  it('is over for good where it was revoked before its deadline', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    await rig.drain.order('pool', 1000)
    await rig.drain.revoke('pool')
    const next = await restarted(rig)
    await next.clock.advance(2000)
    assert.equal(next.pool().draining, false)
    assert.equal((await next.tasks.get(ann, 't')).state, 'running')
  })
})

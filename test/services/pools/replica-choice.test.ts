import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig, type Rig, type TaskFields } from '../../harness/rig.ts'

const start = (replicas: readonly object[]): Promise<Rig> => startRig({ pools: [poolConfig({ replicas })] })
const two = [
  { id: 'r0', slots: 4 },
  { id: 'r1', slots: 4 },
]
const long = (name: string): string => `${name} `.repeat(200)

/** Runs a task to its end; the replica that it ran on. */
async function replicaOf(rig: Rig, fields: TaskFields): Promise<string> {
  const { task_id } = await rig.run(fields)
  const { replica_id = 'none' } = rig.task(task_id)
  rig.engine(`pool/${replica_id}`).call.finish()
  await settled()
  return replica_id
}

describe('the replica of a task', () => {
  it('is the one its session ran on last, while that one is not more than one task busier than the idlest', async () => {
    const rig = await start(two)
    await rig.run({ session_id: 'first' })
    assert.equal(await replicaOf(rig, { session_id: 'talk' }), 'r1')
    rig.engine('pool/r0').call.finish()
    await settled()
    for (let turn = 0; turn < 3; turn++) assert.equal(await replicaOf(rig, { session_id: 'talk' }), 'r1')
    await rig.run({ session_id: 'talk' })
    await rig.run({ session_id: 'talk' })
    assert.equal(rig.engine('pool/r1').running.length, 2)
    assert.equal(await replicaOf(rig, { session_id: 'talk' }), 'r0', 'it yields')
    assert.equal(await replicaOf(rig, { session_id: 'talk' }), 'r0', 'and stays where it is now')
  })

  it('is the one that has seen the beginning of its prompt, of the same key or not', async () => {
    const rig = await start(two)
    const messages = (question: string) => [
      { role: 'user' as const, content: long('rules') },
      { role: 'user' as const, content: question },
    ]
    await rig.run({})
    assert.equal(await replicaOf(rig, { prompt: undefined, messages: messages('one') }), 'r1')
    rig.engine('pool/r0').call.finish()
    await settled()
    assert.equal(await replicaOf(rig, { prompt: undefined, messages: messages('two') }), 'r1')
    assert.equal(await replicaOf(rig, { prompt: long('other') }), 'r0')
    assert.equal(await replicaOf(rig, { prompt: `${long('other')} and more` }), 'r0')
  })

  it('is any other once the engine was started anew', async () => {
    const rig = await start(two)
    await rig.run({})
    assert.equal(await replicaOf(rig, { session_id: 'talk', prompt: long('talk') }), 'r1')
    rig.engine('pool/r0').call.finish()
    rig.engine('pool/r1').die()
    await rig.clock.advance(1000)
    assert.equal(await replicaOf(rig, { session_id: 'talk', prompt: long('talk') }), 'r0')
  })

  it('has the most free memory where nothing is warm', async () => {
    const rig = await start(two)
    const [first, second] = rig.pool().replicas
    assert.ok(first !== undefined && second !== undefined)
    first.free_vram_bytes = 4 * 2 ** 30
    second.free_vram_bytes = 20 * 2 ** 30
    assert.equal(await replicaOf(rig, {}), 'r1')
    first.free_vram_bytes = undefined
    assert.equal(await replicaOf(rig, {}), 'r0')
  })

  it('has the devices that the task requires: it waits for them, and lets others pass', async () => {
    const rig = await start([
      { id: 'r0', slots: 1, devices: [0] },
      { id: 'r1', slots: 1, devices: [1, 2] },
    ])
    const masked: TaskFields = { placement: { mode: 'auto', require_device_mask: [2] } }
    await rig.run({ task_id: 'a', ...masked })
    assert.equal(rig.task('a').replica_id, 'r1', 'although the other is first')
    await rig.run({ task_id: 'b', ...masked })
    await rig.run({ task_id: 'c' })
    assert.deepEqual([rig.task('b').phase, rig.task('c').replica_id], ['queued', 'r0'])
    await rig.run({ task_id: 'd' })
    rig.engine('pool/r1').call.finish()
    await settled()
    assert.deepEqual([rig.task('b').replica_id, rig.task('d').phase], ['r1', 'queued'], 'it has kept its place')
  })

  it('is not waited for by a new task where none of those with its devices is ready', async () => {
    const rig = await start([
      { id: 'r0', slots: 1, devices: [0] },
      { id: 'r1', slots: 1, devices: [1] },
    ])
    rig.engine('pool/r1').die()
    await assert.rejects(rig.admit({ placement: { mode: 'auto', require_device_mask: [1] } }), /No replica of pool pool is ready yet/)
  })
})

import assert from 'node:assert/strict'
import type { Artifact } from '../../src/domain/artifact.ts'
import { StorageError } from '../../src/ports/journal.ts'
import { CreationLimits } from '../../src/services/creation-limits.ts'
import { DaemonEvents } from '../../src/services/daemon-events.ts'
import { artifactFact, sampleArtifact } from '../conformance/storage.samples.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { MemoryStorage } from '../harness/memory-storage.ts'
import { ann, refusalOf, startRig } from '../harness/rig.ts'

const plan: Artifact = { kind: 'plan', content: 'c', tags: [], metadata: {} }

describe('a disk that is nearly full', () => {
  it('takes nothing new of anybody, says so once, and takes it again when there is room; what was accepted goes on', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'before' })
    rig.storage.free = 1
    await rig.clock.advance(10_000)
    const refusals = [
      await refusalOf(rig.admit({ task_id: 'new' })),
      await refusalOf(rig.artifacts.create(ann, plan)),
      await refusalOf(rig.sessions.put(ann, 's', undefined, undefined)),
      await refusalOf(rig.batches.create('ann', { endpoint: '/v1/completions', input_file_id: 'f', metadata: null })),
    ]
    for (const { kind, message, retriable } of refusals) {
      assert.deepEqual([kind, retriable], ['pool_unavailable', true])
      assert.match(message, /limits\.free_bytes/)
    }
    rig.engine().call.finish()
    await settled()
    assert.equal((await rig.tail('before')).frames.at(-1)?.event, 'end')
    await rig.clock.advance(10_000)
    const told = (): string[] => rig.lines.flatMap(({ level, message }) => (message.startsWith('The disk') ? [level] : []))
    assert.deepEqual(told(), ['error'])
    rig.storage.free = 1e12
    await rig.clock.advance(10_000)
    assert.deepEqual(told(), ['error', 'info'])
    await rig.run({ task_id: 'after' })
  })

  it('is noticed between two looks, by what is written meanwhile', async () => {
    const rig = await startRig()
    rig.storage.free = 268_435_456
    await rig.clock.advance(10_000)
    await rig.artifacts.create(ann, plan)
    rig.storage.free = 268_435_456 + 5000
    await rig.clock.advance(10_000)
    await rig.artifacts.create(ann, { ...plan, content: 'x'.repeat(6000) })
    assert.match((await refusalOf(rig.artifacts.create(ann, plan))).message, /limits\.free_bytes/)
  })
})

describe('what a key may keep', () => {
  it('has room for an artifact only as a whole', async () => {
    const rig = await startRig({ keyLimits: { ann: { stored_bytes: 1000 } } })
    await rig.artifacts.create(ann, { ...plan, content: 'x'.repeat(600) })
    const { kind, message } = await refusalOf(rig.artifacts.create(ann, { ...plan, content: 'y'.repeat(600) }))
    assert.equal(kind, 'rate_limited')
    assert.match(message, /stored_bytes/)
    const bytes = await refusalOf(rig.artifacts.create(ann, { ...plan, content: 'ü'.repeat(300) }))
    assert.equal(bytes.kind, 'rate_limited', 'bytes count, not characters')
    await rig.artifacts.create(ann, { ...plan, content: 'z' })
  })

  it('is free at once when a task is forgotten', async () => {
    const rig = await startRig({ keyLimits: { ann: { stored_bytes: 1800 } } })
    const big = { ...plan, content: 'x'.repeat(1500) }
    await rig.run({ task_id: 't' })
    rig.engine().call.finish()
    await settled()
    assert.equal((await refusalOf(rig.artifacts.create(ann, big))).kind, 'rate_limited')
    await rig.tasks.forget(ann, 't')
    await settled()
    await rig.artifacts.create(ann, big)
  })

  it('has what was written while it was counted', async () => {
    const asked = Promise.withResolvers<ReadonlyMap<string, number>>()
    const space = { stored: () => asked.promise, free: () => Promise.resolve(Infinity) }
    const limits = new Map([['ann', { stored_bytes: 1000 }]])
    const events = new DaemonEvents((error) => assert.fail(String(error)))
    const creation = new CreationLimits({ limits, stored_bytes: 0, free_bytes: 0, space, clock: new FakeClock(), events })
    const started = creation.start()
    await creation.counted(new MemoryStorage().journal).commit([artifactFact(sampleArtifact('ann', 'x'.repeat(600)))])
    asked.resolve(new Map([['ann', 500]]))
    await started
    assert.throws(() => creation.checkRoom('ann'), /stored_bytes/)
  })

  it('is not used up by what could not be written', async () => {
    const rig = await startRig({ keyLimits: { ann: { stored_bytes: 1000 } } })
    rig.storage.failing = 1
    await assert.rejects(rig.artifacts.create(ann, { ...plan, content: 'x'.repeat(600) }), StorageError)
    await rig.artifacts.create(ann, { ...plan, content: 'y'.repeat(600) })
  })
})

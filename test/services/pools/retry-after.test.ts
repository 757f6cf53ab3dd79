import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { poolConfig, refusalOf, startRig, taught_ms, teach, type Rig, type TaskFields } from '../../harness/rig.ts'
import type { ScriptedEngine } from '../../harness/scripted-engine.ts'

/** Makes an engine generate by the clock: the first of 10 tokens after 3 ms, then one every 10 ms. */
function byTheClock(engine: ScriptedEngine, clock: FakeClock): void {
  const generate = engine.generate.bind(engine)
  engine.generate = (...given) => {
    const ended = generate(...given)
    const { call } = engine
    for (let i = 0; i < 10; i++) clock.after(3 + 10 * i, () => call.say('x'))
    clock.after(taught_ms, () => call.finish())
    return ended
  }
}

async function start(slots: number, queue: Record<string, unknown>): Promise<Rig> {
  const clock = new FakeClock()
  const rig = await startRig({
    clock,
    pools: [poolConfig({ replicas: [{ id: 'r0', slots }], queue })],
    prepare: (engine) => byTheClock(engine, clock),
  })
  teach(rig.pool())
  return rig
}

/** What a refused client is told to wait, ms. */
async function told(rig: Rig, fields: TaskFields = {}): Promise<number> {
  const { kind, details } = await refusalOf(rig.admit(fields))
  assert.ok(kind === 'queue_full' || kind === 'nothing_to_drop' || kind === 'replica_exhausted' || kind === 'pool_unready', kind)
  return details.retry_after_ms ?? assert.fail('says nothing of when to come back')
}

describe('Retry-After', () => {
  it('is when there is a place in a full queue, to the millisecond where all tasks take the same', async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 8, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('reject', 'drop-lru'),
        gaps,
        async (slots, capacity, full_policy, waits) => {
          const rig = await start(slots, { capacity, full_policy })
          // Batch work displaces no interactive work, so drop-lru has nothing to drop for it.
          let filled = 0
          for (const wait of waits) {
            if (filled < slots + capacity && rig.pool().scheduler.depth() < capacity) await rig.run({ priority: 'interactive' })
            filled++
            await rig.clock.advance(wait)
          }
          while (rig.pool().scheduler.depth() < capacity) await rig.run({ priority: 'interactive' })
          const newcomer = { priority: 'batch' } as const
          const wait = await told(rig, newcomer)
          await rig.clock.advance(wait - 1)
          assert.equal(await told(rig, newcomer), 1)
          await rig.clock.advance(1)
          await rig.admit(newcomer)
          for (const engine of rig.engines.values()) for (const call of engine.running) call.finish()
          await settled()
        },
      ),
      { numRuns: 40 },
    )
  })

  it('is when the engine is started again, where all are down', async () => {
    const rig = await start(1, { capacity: 1 })
    let broken = true
    rig.engine().onStart = () => (broken ? Promise.reject(new Error('no')) : Promise.resolve())
    rig.engine().die()
    await rig.clock.advance(250 + 500 + 1000 + 2000 + 100)
    broken = false
    const wait = await told(rig)
    assert.equal(wait, 4000 - 100)
    await rig.clock.advance(wait - 1)
    assert.equal(await told(rig), 1000, 'a 503 says no less')
    await rig.clock.advance(1)
    await rig.admit()
  })

  it('is when an engine that takes its time to come up is there, as it was seen to; what waits is told the same', async () => {
    const rig = await start(1, { capacity: 1 })
    const load_ms = 40_000
    const startsIn = (): number => rig.pool().predictStart({ position: 0, work_ms: 0, may_pass: 0 }, 'interactive').ms
    rig.engine().onStart = () => new Promise((resolve) => rig.clock.after(load_ms, resolve))
    rig.engine().die()
    await rig.clock.advance(250 + 100)
    assert.equal(await told(rig), 1000, 'it was there at once the last time')
    await rig.clock.advance(load_ms)

    rig.engine().die()
    await rig.clock.advance(100)
    assert.equal(await told(rig), 500 - 100 + load_ms)
    await rig.clock.advance(400 + 30_000)
    assert.deepEqual([await told(rig), startsIn()], [load_ms - 30_000, load_ms - 30_000])
    await rig.clock.advance(load_ms - 30_000)
    await rig.admit()
  })
})

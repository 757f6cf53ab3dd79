import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { benchOf } from './replica.kit.ts'

const cannot = (): Promise<never> => Promise.reject(new Error('cannot start'))
const never = (): Promise<never> => new Promise(() => undefined)

/** Pauses between the next starts of the engine, ms. */
async function pauses(bench: ReturnType<typeof benchOf>, count: number): Promise<number[]> {
  const found: number[] = []
  for (let at = bench.clock.now(); found.length < count;) {
    const { starts } = bench.engine
    while (bench.engine.starts === starts) await bench.clock.advance(50)
    found.push(bench.clock.now() - at)
    at = bench.clock.now()
  }
  return found
}

describe('replica', () => {
  it('is ready when its engine is up', async () => {
    const { replica, engine, changes, clock } = benchOf()
    await replica.start()
    assert.deepEqual([replica.state, replica.props, replica.restarts, replica.last_error], ['ready', engine.props, 0, undefined])
    assert.deepEqual(changes, ['starting', 'ready'])
    assert.equal(clock.pending, 0)
  })

  it('starts again and again with pauses that double from 250 ms to 60 s', async () => {
    const bench = benchOf()
    bench.engine.onStart = cannot
    await bench.replica.start()
    assert.deepEqual([bench.replica.state, bench.replica.last_error], ['down', 'cannot start'])
    assert.equal(bench.replica.restart_at, bench.clock.now() + 250)
    assert.deepEqual(await pauses(bench, 10), [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    assert.equal(bench.replica.restarts, 10)
    assert.equal(bench.engine.stops, 11, 'what failed is stopped before it is started anew')
  })

  it('rests where its model is refused, until it is resumed', async () => {
    const { replica, engine, changes, clock } = benchOf()
    engine.onStart = () => Promise.reject(new DomainError('model_deprecated', 'the model is retired'))
    await replica.start()
    await clock.advance(600_000)
    assert.deepEqual(
      [replica.state, replica.last_error, replica.restart_at, engine.starts, replica.restarts],
      ['stopped', 'the model is retired', undefined, 1, 0],
    )
    await replica.resume()
    assert.deepEqual([replica.state, engine.starts], ['stopped', 2])
    engine.onStart = () => Promise.resolve()
    await replica.resume()
    assert.deepEqual([replica.state, replica.last_error], ['ready', undefined])
    await replica.resume()
    assert.equal(engine.starts, 3, 'one that is up is not resumed')
    await replica.suspend('no more')
    assert.deepEqual([replica.state, replica.last_error], ['stopped', 'no more'])
    assert.deepEqual(changes, ['starting', 'stopped', 'starting', 'stopped', 'starting', 'ready', 'stopped'])
    assert.equal(clock.pending, 0)
  })

  it('keeps the long pauses for an engine that comes up and dies soon', async () => {
    const bench = benchOf()
    await bench.replica.start()
    for (const pause of [250, 500, 1000]) {
      await bench.clock.advance(59_000)
      bench.engine.die()
      assert.deepEqual(await pauses(bench, 1), [pause])
      assert.equal(bench.replica.state, 'ready')
      assert.equal(bench.replica.restart_at, undefined)
    }
  })

  it('starts over with the shortest pause after a minute of good work', async () => {
    const bench = benchOf()
    bench.engine.onStart = cannot
    await bench.replica.start()
    await pauses(bench, 3)
    bench.engine.onStart = () => Promise.resolve()
    assert.deepEqual(await pauses(bench, 1), [2000])
    await bench.clock.advance(60_000)
    bench.engine.die(new Error('died'))
    assert.equal(bench.replica.last_error, 'died')
    assert.deepEqual(await pauses(bench, 1), [250])
  })

  it('gives up on an engine that is not up in time', async () => {
    const bench = benchOf()
    bench.engine.onStart = never
    const started = bench.replica.start()
    await bench.clock.advance(4999)
    assert.equal(bench.replica.state, 'starting')
    await bench.clock.advance(1)
    await started
    assert.deepEqual(
      [bench.replica.state, bench.replica.last_error, bench.engine.stops],
      ['down', 'the engine was not up after 5000 ms', 1],
    )
    bench.engine.onStart = () => Promise.resolve()
    await bench.clock.advance(250)
    assert.equal(bench.replica.state, 'ready')
    await bench.clock.advance(5000)
    assert.equal(bench.replica.state, 'ready', 'the time limit of the first start is forgotten')
  })

  it('waits with the next start until the failed engine is gone', async () => {
    const bench = benchOf()
    await bench.replica.start()
    const gone = Promise.withResolvers<undefined>()
    bench.engine.stop = () => gone.promise
    bench.engine.die()
    await bench.clock.advance(10_000)
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['down', 1])
    gone.resolve(undefined)
    await settled()
    await bench.clock.advance(250)
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['ready', 2])
  })

  it('has all of its time to come up where the engine before it took longer to go', async () => {
    const bench = benchOf()
    await bench.replica.start()
    const gone = Promise.withResolvers<undefined>()
    bench.engine.onStop = () => gone.promise.then(() => undefined)
    const stopped = bench.replica.suspend('for a while')
    const resumed = bench.replica.resume()
    await bench.clock.advance(6000)
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['starting', 1])
    gone.resolve(undefined)
    await Promise.all([stopped, resumed])
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['ready', 2])
  })

  it('is tried again where the failed engine could not be stopped, and not beside it', async () => {
    const bench = benchOf()
    await bench.replica.start()
    bench.engine.onStop = () => Promise.reject(new Error('it may not be signalled'))
    bench.engine.die(new Error('died'))
    await settled()
    assert.equal(bench.replica.last_error, 'died; not stopped: Error: it may not be signalled')
    await bench.clock.advance(250)
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['down', 1])
    bench.engine.onStop = () => Promise.resolve()
    await bench.clock.advance(500)
    await bench.clock.advance(1000)
    assert.deepEqual([bench.replica.state, bench.engine.starts], ['ready', 2])
  })

  it('plans one restart, however often it is told that it failed', async () => {
    const bench = benchOf()
    await bench.replica.start()
    await Promise.all([bench.replica.fail(new Error('one')), bench.replica.fail(new Error('two'))])
    bench.engine.die(new Error('three'))
    await settled()
    assert.equal(bench.replica.last_error, 'one')
    assert.equal(bench.clock.pending, 1)
    await bench.clock.advance(250)
    assert.equal(bench.engine.starts, 2)
  })

  it('stops for good: when ready, while it starts, and while it waits to', async () => {
    for (const onStart of [() => Promise.resolve(), never, cannot]) {
      const bench = benchOf()
      bench.engine.onStart = onStart
      const started = bench.replica.start()
      await settled()
      await bench.replica.stop()
      await started
      bench.engine.onStart = () => Promise.resolve()
      await bench.replica.fail(new Error('late'))
      await bench.clock.advance(600_000)
      assert.deepEqual([bench.replica.state, bench.engine.starts, bench.clock.pending], ['stopped', 1, 0])
    }
  })

  it('stays stopped where it is stopped while a failed engine goes', async () => {
    const bench = benchOf()
    await bench.replica.start()
    const failing = bench.replica.fail(new Error('broke'))
    await Promise.all([failing, bench.replica.stop()])
    await bench.clock.advance(600_000)
    assert.deepEqual([bench.replica.state, bench.engine.starts, bench.clock.pending], ['stopped', 1, 0])
  })

  it('has a free slot only while it is ready, and tells when one becomes free', async () => {
    const { replica, changes, engine } = benchOf()
    assert.equal(replica.hasFreeSlot, false)
    await replica.start()
    replica.acquire()
    assert.equal(replica.hasFreeSlot, true)
    replica.acquire()
    assert.equal(replica.hasFreeSlot, false)
    replica.release()
    assert.deepEqual([replica.hasFreeSlot, replica.busy, changes.at(-1)], [true, 1, 'slot'])
    engine.die()
    assert.equal(replica.hasFreeSlot, false)
  })

  it('is started once by who resumes it while a failure is being cleared away', async () => {
    const { replica, engine, clock } = benchOf()
    await replica.start()
    const stopped = Promise.withResolvers<undefined>()
    engine.onStop = () => stopped.promise
    engine.die()
    await settled()
    const suspended = replica.suspend('blocked')
    const resumed = replica.resume()
    await settled()
    assert.equal(engine.starts, 1, 'not before the engine is gone')
    stopped.resolve(undefined)
    await Promise.all([suspended, resumed])
    await clock.advance(60_000)
    assert.deepEqual([replica.state, engine.starts, replica.restarts], ['ready', 2, 0])
  })

  it('does not start its engine where it is stopped again before that could be', async () => {
    const { engine, replica } = benchOf()
    await replica.start()
    const gone = Promise.withResolvers<undefined>()
    engine.onStop = () => gone.promise
    const all = [replica.stop(), replica.resume(), replica.stop()]
    gone.resolve(undefined)
    await Promise.all(all)
    assert.deepEqual([engine.starts, replica.state], [1, 'stopped'])
  })

  it('is not taken down by a start that was cut off before it was resumed', async () => {
    const { replica, engine, clock } = benchOf()
    const late = Promise.withResolvers<never>()
    engine.onStart = () => (engine.starts === 1 ? late.promise : Promise.resolve())
    const first = replica.start()
    await settled()
    await replica.suspend('blocked')
    await replica.resume()
    late.reject(new Error('too late'))
    await first
    await clock.advance(60_000)
    assert.deepEqual([replica.state, replica.last_error, engine.starts], ['ready', undefined, 2])
  })
})

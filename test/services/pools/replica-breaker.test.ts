import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { benchOf } from './replica.kit.ts'

describe('a replica', () => {
  describe('whose tasks fail', () => {
    const broke = new EngineError('it broke', { retriable: true })
    const down = (bench: ReturnType<typeof benchOf>): unknown[] => [bench.replica.state, bench.replica.restart_in_ms, bench.engine.stops]

    it('takes none for a while after the third in a row, and lets those that run go on', async () => {
      const bench = benchOf()
      await bench.replica.start()
      const { replica } = bench
      replica.acquire()
      for (const id of ['a', 'b', 'b', 'b']) replica.failed(id, broke)
      replica.succeeded()
      for (const id of ['a', 'b', 'a']) replica.failed(id, broke)
      assert.deepEqual(down(bench), ['ready', undefined, 0])
      replica.failed('c', broke)
      assert.deepEqual(down(bench), ['down', 250, 0])
      assert.equal(replica.last_error, 'its tasks failed, the last with: it broke')
      assert.equal(replica.hasFreeSlot, false)
      await bench.clock.advance(250)
      assert.deepEqual([replica.state, bench.engine.starts, replica.restarts], ['ready', 1, 0], 'it was not started anew')
    })

    it('gets one task at a time until one has ended well, and longer pauses until then', async () => {
      const bench = benchOf()
      await bench.replica.start()
      const { replica, clock } = bench
      for (const id of ['a', 'b', 'c']) replica.failed(id, broke)
      await clock.advance(250)
      replica.acquire()
      assert.equal(replica.hasFreeSlot, false)
      replica.failed('d', broke)
      replica.release()
      assert.deepEqual(down(bench), ['down', 500, 0])
      await clock.advance(500)
      replica.acquire()
      replica.release()
      assert.equal(replica.hasFreeSlot, true, 'a client that left has shown nothing')
      replica.acquire()
      replica.succeeded()
      assert.equal(replica.hasFreeSlot, true)
    })

    it('is not blamed for what is not its own: refusals, too much work, what is wrong with us', async () => {
      const bench = benchOf()
      await bench.replica.start()
      const causes = [
        new EngineError('no', { retriable: false }),
        new EngineError('busy', { retriable: true, busy: true }),
        new Error('a bug'),
        new DomainError('conflict', 'gone'),
      ]
      for (const [i, cause] of Array.from({ length: 50 }, (_, n) => [n, causes[n % 4]] as const)) bench.replica.failed(String(i), cause)
      assert.equal(bench.replica.state, 'ready')
    })

    it('is started anew where its engine dies meanwhile', async () => {
      const bench = benchOf()
      await bench.replica.start()
      for (const id of ['a', 'b', 'c']) bench.replica.failed(id, broke)
      bench.engine.die()
      await settled()
      assert.deepEqual(down(bench), ['down', 500, 1])
      await bench.clock.advance(500)
      assert.deepEqual([bench.replica.state, bench.engine.starts, bench.clock.pending], ['ready', 2, 0])
    })
  })

  describe('whose devices are in trouble', () => {
    it('takes no tasks until that is over, and then one at a time at first', async () => {
      const { replica, engine, clock } = benchOf()
      await replica.start()
      replica.setTrouble('device 0 is lost')
      assert.deepEqual([replica.state, replica.last_error, replica.restart_in_ms], ['down', 'device 0 is lost', undefined])
      await clock.advance(600_000)
      assert.equal(replica.state, 'down')
      replica.setTrouble(undefined)
      replica.acquire()
      assert.deepEqual([replica.state, replica.hasFreeSlot, engine.starts], ['ready', false, 1])
      replica.succeeded()
      assert.equal(replica.hasFreeSlot, true)
    })

    it('is started when that is over, where its engine has died of it', async () => {
      const { replica, engine, clock } = benchOf()
      await replica.start()
      replica.setTrouble('device 0 is lost')
      engine.die()
      await clock.advance(600_000)
      assert.deepEqual([replica.state, engine.starts], ['down', 1])
      replica.setTrouble(undefined)
      await settled()
      assert.deepEqual([replica.state, engine.starts, clock.pending], ['ready', 2, 0])
    })

    it('waits out its pause where the trouble is over before', async () => {
      const { replica, engine, clock } = benchOf()
      await replica.start()
      engine.die()
      await settled()
      replica.setTrouble('device 0 is lost')
      replica.setTrouble(undefined)
      await clock.advance(249)
      assert.deepEqual([replica.state, engine.starts], ['down', 1])
      await clock.advance(1)
      assert.deepEqual([replica.state, engine.starts, clock.pending], ['ready', 2, 0])
    })

    it('stays down where its engine comes up meanwhile, and stopped where it is stopped', async () => {
      const { replica, clock } = benchOf()
      replica.setTrouble('device 0 is lost')
      await replica.start()
      assert.deepEqual([replica.state, replica.last_error], ['down', 'device 0 is lost'])
      await replica.stop()
      replica.setTrouble(undefined)
      await clock.advance(600_000)
      assert.equal(replica.state, 'stopped')
    })
  })
})

import assert from 'node:assert/strict'
import type { DaemonEvent } from '../../src/domain/daemon-events.ts'
import { DaemonEvents } from '../../src/services/daemon-events.ts'
import { settled } from '../harness/fake-clock.ts'
import { startRig } from '../harness/rig.ts'

const event: DaemonEvent = { type: 'pool_resumed', pool_id: 'p' }

const rethrow = (error: unknown): never => {
  throw error
}

describe('daemon events', () => {
  it('reach every listener in order, until it stops', () => {
    const events = new DaemonEvents(rethrow)
    const heard: string[] = []
    const stop = events.listen(({ type }) => void heard.push(`a ${type}`))
    events.listen(({ type }) => void heard.push(`b ${type}`))
    events.emit(event)
    stop()
    events.emit(event)
    assert.deepEqual(heard, ['a pool_resumed', 'b pool_resumed', 'b pool_resumed'])
  })

  it('reach the others where one listener throws, and whoever emits goes on', () => {
    const broken = new Error('broken')
    const reported: unknown[] = []
    const events = new DaemonEvents((error) => void reported.push(error))
    const heard: string[] = []
    events.listen(() => {
      throw broken
    })
    events.listen(({ type }) => void heard.push(type))
    events.emit(event)
    assert.deepEqual([reported, heard], [[broken], ['pool_resumed']])
  })

  it('tell the life of a task in order, beside a listener that breaks each time', async () => {
    const rig = await startRig()
    const told: string[] = []
    rig.events.listen(() => {
      throw new Error('broken')
    })
    rig.events.listen(({ type }) => void told.push(type))
    await rig.run({ task_id: 't' })
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    const life = told.filter((type) => type.startsWith('task_'))
    assert.deepEqual(life, ['task_placed', 'task_queued', 'task_started', 'task_first_part', 'task_ended'])
    assert.equal((await rig.tail('t')).end?.['finish_reason'], 'stop')
    assert.ok(rig.lines.some(({ level, message }) => level === 'error' && message === 'A listener of the daemon failed.'))
  })

  it('tell that a task waits again, and its end only once', async () => {
    const rig = await startRig()
    const told: string[] = []
    rig.events.listen(({ type }) => void told.push(type))
    await rig.run({ task_id: 't' })
    rig.engine().die()
    await settled()
    await rig.clock.advance(60_000)
    rig.engine().call.finish()
    await settled()
    assert.equal(told.filter((type) => type === 'task_requeued').length, 1)
    assert.equal(told.filter((type) => type === 'task_started').length, 2)
    assert.equal(told.filter((type) => type === 'task_ended').length, 1)
  })
})

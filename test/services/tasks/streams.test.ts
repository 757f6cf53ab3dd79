import { nativeFormat } from '../../../src/doors/native/frames.ts'
import assert from 'node:assert/strict'
import { actingFor } from '../../../src/domain/principal.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, boss, refusalOf, startRig, Tail, taught_ms, teach } from '../../harness/rig.ts'

const metricsIn = (tail: Tail): unknown[] => tail.frames.flatMap(({ event, data }) => (event === 'metrics' ? [data] : []))

describe('streams', () => {
  it('report metrics once a second, and only to tasks that somebody reads', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'read' })
    await rig.run({ task_id: 'unread' })
    const tail = await rig.tail('read')
    await rig.clock.advance(999)
    assert.equal(metricsIn(tail).length, 0)
    await rig.clock.advance(1)
    assert.equal(metricsIn(tail).length, 1)
    await rig.clock.advance(4000)
    assert.equal(metricsIn(tail).length, 5)
    assert.equal((await rig.tail('unread')).kinds, 'started')
    tail.reader.close()
    await rig.clock.advance(5000)
    const again = await rig.tail('read')
    assert.equal(metricsIn(again).length, 1, 'the newest is kept')
    await rig.clock.advance(1000)
    assert.equal(metricsIn(again).length, 2)
  })

  it('tell a waiting task where it stands, and a running one how it does', async () => {
    const rig = await startRig()
    teach(rig.pool())
    await rig.run({ task_id: 't1', deadline_ms: 200 })
    await rig.run({ task_id: 't2' })
    await rig.run({ task_id: 't3', deadline_ms: 100_000 })
    const [running, waiting] = [await rig.tail('t1'), await rig.tail('t3')]
    await rig.clock.advance(3)
    rig.engine().call.say('a')
    await rig.clock.advance(997)
    const common = { queue_depth: 2, kv_warmth: false, pool_id: 'pool', prediction_basis: 'history' }
    const waits = { code: 'slots_busy', text: 'all slots are busy', ahead: 1, slots: 1 }
    assert.deepEqual(metricsIn(waiting), [
      { ...common, phase: 'queued', waits, queue_position: 1, predicted_start_ms: 80 + taught_ms, on_time_probability: 1 },
    ])
    // Those of a task that has just said something wait a moment for what it says next.
    await rig.clock.advance(250)
    assert.deepEqual(metricsIn(running), [
      { ...common, phase: 'decoding', queue_position: 0, predicted_start_ms: 0, on_time_probability: 0, replica_id: 'r0' },
    ])
    rig.engine().call.finish()
    await rig.clock.advance(1000)
    assert.deepEqual(waiting.frames.at(-1)?.data?.['queue_position'], 0)
  })

  it('report metrics with the next part where parts flow, a moment later where none comes, and at once where none came', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    const kinds = (): string => tail.kinds
    rig.engine().call.say('a')
    await rig.clock.advance(1000)
    assert.equal(kinds(), 'started token')
    rig.engine().call.say('b')
    await settled()
    assert.equal(kinds(), 'started token token metrics')
    await rig.clock.advance(1000)
    assert.equal(kinds(), 'started token token metrics')
    await rig.clock.advance(250)
    assert.equal(kinds(), 'started token token metrics metrics')
    await rig.clock.advance(750)
    assert.equal(kinds(), 'started token token metrics metrics metrics')
  })

  it('tell a waiting task anew once a second what became of its place, as the work ahead is done', async () => {
    const rig = await startRig()
    // 100 tokens at 10 ms, the first at once: a task takes 990 ms.
    for (let i = 0; i < 10; i++)
      rig.pool().estimator.observe({ prompt_tokens: 3, max_tokens: 100, tokens_out: 100, prefill_ms: 0, decode_ms: 990 })
    for (const task_id of ['t1', 't2', 't3']) await rig.run({ task_id, max_tokens: 100, deadline_ms: 4000 })
    const tail = await rig.tail('t3')
    const places: unknown[] = []
    const look = async (since_ms = 0): Promise<void> => {
      await rig.clock.advance(1000 - since_ms)
      const { queue_position, predicted_start_ms, on_time_probability } = tail.frames.at(-1)?.data ?? {}
      places.push([queue_position, predicted_start_ms, on_time_probability])
    }
    const say = async (tokens: number): Promise<number> => {
      for (let i = 0; i < tokens; i++) {
        if (i > 0) await rig.clock.advance(10)
        rig.engine().call.say('x')
      }
      return (tokens - 1) * 10
    }
    await look(await say(41))
    await rig.cancellation.cancel(ann, 't1')
    await look()
    await look(await say(60))
    // 59 tokens and a task are ahead of it, then a task, then 40 tokens, which take too long for its deadline.
    assert.deepEqual(places, [
      [1, 580 + 990, 1],
      [0, 990, 1],
      [0, 390, 0],
    ])
  })

  it('give any number of readers the same, each from where it asks', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const early = await rig.tail('t')
    rig.engine().call.say('a')
    const id = early.frames.at(-1)?.id
    const [late, resumed, after] = [await rig.tail('t'), await rig.tail('t', ann, '0'), await rig.tail('t', ann, id)]
    rig.engine().call.say('b')
    rig.engine().call.finish()
    await settled()
    assert.equal(early.kinds, 'started token token metrics end')
    assert.deepEqual(late.frames, early.frames)
    assert.deepEqual(resumed.frames, early.frames.slice(1))
    assert.deepEqual(after.frames, early.frames.slice(2))
  })

  it('replay a finished task as it was, also from any point', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const live = await rig.tail('t')
    for (const text of ['a', 'é', '🦢']) rig.engine().call.say(text)
    rig.engine().call.finish()
    await settled()
    assert.equal(rig.live.size, 0)
    const replay = await rig.tail('t')
    assert.deepEqual(replay.frames, live.frames)
    for (const [index, { id }] of live.frames.entries()) {
      if (id === undefined || id === 'end') continue
      assert.deepEqual((await rig.tail('t', ann, id)).frames, live.frames.slice(index + 1))
    }
  })

  it('keep one log of a finished task for all who read it, and none when the last one has gone', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    const { eventLog } = rig.storage
    const read = eventLog.read.bind(eventLog)
    let reads = 0
    eventLog.read = (key) => {
      reads++
      return read(key)
    }
    const [first, second] = await Promise.all([rig.tail('t'), rig.tail('t', actingFor(boss, 'ann'))])
    assert.equal(reads, 1)
    assert.deepEqual(second.frames, first.frames)
    first.reader.close()
    await rig.clock.advance(1000)
    const third = await rig.tail('t')
    assert.equal(reads, 1, 'the second one still read')
    for (const { reader } of [second, third]) reader.close()
    await rig.clock.advance(1000)
    assert.deepEqual((await rig.tail('t')).frames, first.frames)
    assert.equal(reads, 2)
  })

  it('look again for a finished task that could not be read', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.finish()
    await settled()
    const { eventLog } = rig.storage
    const read = eventLog.read.bind(eventLog)
    eventLog.read = () => Promise.reject(new Error('the disk is gone'))
    await assert.rejects(rig.tail('t'), /the disk is gone/)
    eventLog.read = () => Promise.resolve(undefined)
    assert.equal((await refusalOf(rig.tail('t'))).kind, 'not_found')
    eventLog.read = read
    assert.equal((await rig.tail('t')).kinds, 'started metrics end')
  })

  it('have nothing more for who has the end', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    assert.equal(await rig.streams.open(ann, 't', { kind: 'nothing' }, nativeFormat), undefined)
    rig.engine().call.finish()
    await settled()
    assert.equal(await rig.streams.open(ann, 't', { kind: 'nothing' }, nativeFormat), undefined)
    assert.equal((await refusalOf(rig.streams.open(ann, 'unknown', { kind: 'nothing' }, nativeFormat))).kind, 'not_found')
  })

  it('are for the task’s own key and for control', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const open = async (who: typeof ann): Promise<string> =>
      (await refusalOf(rig.streams.open(who, 't', { kind: 'start' }, nativeFormat))).kind
    assert.equal(await open(bob), 'not_found')
    assert.equal((await rig.tail('t', actingFor(boss, 'ann'))).kinds, 'started')
    rig.engine().call.finish()
    await settled()
    assert.equal(await open(bob), 'not_found')
    assert.equal((await rig.tail('t', actingFor(boss, 'ann'))).kinds, 'started metrics end')
  })

  it('do not know a task that is not durable yet, and follow it from the moment it is', async () => {
    const rig = await startRig()
    rig.storage.hold()
    const admitted = rig.admit({ task_id: 't' })
    await settled()
    // The journal answers after what is being written: the task is there then.
    const opened = rig.tail('t')
    rig.storage.release()
    await admitted
    assert.equal((await opened).kinds, 'started')
  })

  it('follow a task that ends while it is looked up', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.storage.hold()
    rig.engine().call.finish()
    await settled()
    const opened = rig.tail('t')
    rig.storage.release()
    await settled()
    assert.equal((await opened).kinds, 'started metrics end')
  })

  it('forget a task when its retention ends', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.finish()
    await settled()
    await rig.storage.journal.purge(Infinity, 0)
    assert.equal((await refusalOf(rig.streams.open(ann, 't', { kind: 'start' }, nativeFormat))).kind, 'not_found')
  })

  it('show the end to a reader that stalls, whenever it reads on', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const reader = await rig.streams.open(ann, 't', { kind: 'start' }, nativeFormat)
    for (let i = 0; i < 100; i++) rig.engine().call.say('token ')
    rig.engine().call.finish()
    await settled()
    await rig.clock.advance(60_000)
    assert.equal(rig.live.size, 0)
    const tail = new Tail(reader.reader)
    assert.equal(tail.text, 'token '.repeat(100))
    assert.equal(tail.end?.['finish_reason'], 'stop')
  })
})

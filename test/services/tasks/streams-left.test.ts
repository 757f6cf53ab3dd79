import assert from 'node:assert/strict'
import { nativeFormat } from '../../../src/doors/native/frames.ts'
import { Streams } from '../../../src/services/tasks/streams.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { ann, startRig } from '../../harness/rig.ts'

describe('streams, what they leave', () => {
  it('is no timer of a task that nobody reads any more, and none once they have stopped', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const clock = new FakeClock()
    const { live, storage } = rig
    const streams = new Streams({ live, journal: storage.journal, eventLog: storage.eventLog, clock })
    const stop = streams.start()
    const idle = clock.pending
    const { reader } = await streams.open(ann, 't', { kind: 'start' }, nativeFormat)
    await clock.advance(1000)
    assert.equal(clock.pending, idle + 1, 'metrics wait for a part to go out with')
    reader.close()
    await clock.advance(3000)
    assert.equal(clock.pending, idle, 'the task is forgotten')
    await streams.open(ann, 't', { kind: 'start' }, nativeFormat)
    await clock.advance(1000)
    stop()
    assert.equal(clock.pending, 0)
  })

  it('is nothing of a task that was forgotten, where its id names another now', async () => {
    const rig = await startRig()
    const texts: string[] = []
    for (const text of ['one', 'two']) {
      await rig.run({ task_id: 't' })
      rig.engine().call.say(text)
      rig.engine().call.finish()
      await settled()
      // Its reader stays.
      texts.push((await rig.tail('t')).text)
      await rig.tasks.forget(ann, 't')
      await rig.clock.advance(1)
    }
    assert.deepEqual(texts, ['one', 'two'])
  })
})

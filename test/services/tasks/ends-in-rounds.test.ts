import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig } from '../../harness/rig.ts'

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('ends that fall due together', () => {
  /** How many ends are on their way to disk after each round, and what a reader of the last task has by then. */
  async function play(count: number): Promise<{ readonly ends: number[]; readonly read: string[] }> {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: count }] })], props: { slots: count } })
    for (let n = 0; n < count; n++) await rig.run({ task_id: `t${n}` })
    const last = await rig.tail(`t${count - 1}`)
    for (const call of [...rig.engine().running]) {
      call.say('all of it')
      call.finish()
    }
    const [ends, read]: [number[], string[]] = [[], []]
    while (ends.at(-1) !== count) {
      await round()
      ends.push(rig.storage.facts('finished').length)
      read.push(last.kinds)
    }
    await settled()
    assert.deepEqual([last.kinds, last.text, rig.live.size], ['started token metrics end', 'all of it', 0])
    return { ends, read }
  }

  it('are worked on a few in a round, after what there is of every answer has gone out', async () => {
    const { ends, read } = await play(10)
    assert.deepEqual(
      ends.filter((many) => many > 0),
      [4, 8, 10],
    )
    assert.ok(read.every((kinds) => kinds.startsWith('started token')))
  })

  it('are worked on faster where there are many', async () => {
    const { ends } = await play(160)
    assert.deepEqual(ends.filter((many) => many > 0).slice(0, 3), [10, 20, 29])
  })
})

import assert from 'node:assert/strict'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { LOOKED_AT } from '../../src/adapters/embedded/task-lists.ts'
import { accepted, sampleTask } from './storage.samples.ts'

describe('embedded adapter, lists of tasks', () => {
  it('looks at no more tasks for a page than it may, and says where it stopped', async () => {
    const storage = await openStorage({ data_dir: ':memory:' })
    const { journal } = storage
    const rare = { ...sampleTask('ann', 'z'), pool_id: 'rare' }
    const many = Array.from({ length: 2 * LOOKED_AT }, (_, i) => accepted('ann', `t${i}`))
    await journal.commit([{ kind: 'accepted', task: rare }, ...many])
    const filter = { owner: 'ann', ended: 'unfinished', pool_id: 'rare', limit: 5 } as const
    let before_seq: number | undefined
    const seen: string[] = []
    for (let looks = 0; looks < 3; looks++) {
      const { tasks, looked_to } = await journal.list({ ...filter, ...(before_seq === undefined ? {} : { before_seq }) })
      seen.push(...tasks.map(({ task }) => task.task_id))
      before_seq = looked_to
    }
    assert.deepEqual([seen, before_seq], [['z'], undefined])
    // One filter is its own index: nothing is looked at that is not shown, however far back it is.
    for (const alone of [{ pool_id: 'rare' }, { task_id_prefix: 'z' }, { owner: 'ann', pool_id: 'rare' }])
      assert.deepEqual(
        (await journal.list({ ...alone, limit: 5 })).tasks.map(({ task }) => task.task_id),
        ['z'],
      )
    const { tasks } = await journal.list({ task_id_prefix: 't', limit: 2 })
    assert.deepEqual(
      tasks.map(({ task }) => task.task_id),
      [`t${2 * LOOKED_AT - 1}`, `t${2 * LOOKED_AT - 2}`],
    )
    await storage.close()
  })

  it('says where it stopped also where many ids begin as asked, and none of the newest', async () => {
    const storage = await openStorage({ data_dir: ':memory:' })
    const { journal } = storage
    const named = (beginning: string) => Array.from({ length: LOOKED_AT + 1 }, (_, i) => accepted('ann', `${beginning}${i}`))
    await journal.commit([...named('old-'), ...named('new-')])
    const first = await journal.list({ task_id_prefix: 'old-', limit: 1 })
    assert.deepEqual([first.tasks, typeof first.looked_to], [[], 'number'])
    const { tasks } = await journal.list({ task_id_prefix: 'old-', limit: 1, before_seq: first.looked_to ?? 0 })
    assert.deepEqual(
      tasks.map(({ task }) => task.task_id),
      [`old-${LOOKED_AT}`],
    )
    const full = await journal.list({ task_id_prefix: 'new-', limit: 1 })
    assert.deepEqual([full.tasks.length, full.looked_to], [1, undefined], 'behind a full page is more of what was looked at')
    await storage.close()
  })
})

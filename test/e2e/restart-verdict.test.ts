import assert from 'node:assert/strict'
import { join } from 'node:path'
import { lostShown } from '../../src/domain/restart.ts'
import type { TaskView } from '../../src/domain/task.ts'
import { keys, mockPool, mockTask } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { Life } from '../harness/life.ts'
import { temporaryDir } from '../harness/process.ts'
import { untilAnswer } from '../harness/wait.ts'

const slow = { prefill_ms: 0, token_ms: 20, tokens: 9000 }
const pool = (id: string, fields: object): Record<string, unknown> =>
  mockPool({ id, model: `mock:${id}`, ctx: 16_384, replicas: [{ id: 'r0', slots: 2 }], mock: { ...slow, ...fields } })

const config = {
  pools: [pool('replays', {}), pool('continues', { replayable: false }), pool('neither', { replayable: false, continues: false })],
}

const startTask = async ({ url }: Life, model: string, task_id: string): Promise<void> => {
  const body = mockTask({ task_id, model_ref: `mock:${model}`, max_tokens: 8000, ctx: 16_384 })
  assert.equal((await call(url, '/v1/tasks', { method: 'POST', key: keys.data, body })).status, 202)
}

const lookAt = async ({ url }: Life, task_id: string): Promise<TaskView> =>
  (await call(url, `/v1/tasks/${task_id}`, { key: keys.data })).json as unknown as TaskView

describe('what a restart would do, and a SIGKILL', () => {
  it('agree on every task; runs and phases are what they were', async () => {
    const dir = temporaryDir()
    const lived = { ...config, data_dir: join(dir.path, 'data') }
    const life = await Life.begin(lived)
    let next: Life | undefined
    try {
      const models = ['replays', 'continues', 'neither']
      const ids = models.flatMap((model) => ['a', 'b', 'c'].map((name) => `${model}-${name}`))
      for (const id of ids) await startTask(life, id.split('-')[0] ?? '', id)
      const decoding = async (id: string): Promise<boolean> => (await lookAt(life, id)).phases?.at(-1)?.phase === 'decoding'
      const started = ids.filter((id) => !id.endsWith('c'))
      await untilAnswer(
        () => Promise.all(started.map(decoding)),
        (all) => all.every(Boolean),
      )
      await untilAnswer(
        () => life.verdict(),
        ({ kept }) => kept,
      )
      // Commits are durable in order: what was accepted comes after all that was kept before.
      await startTask(life, 'replays', 'last')
      const before = new Map(await Promise.all(ids.map(async (id) => [id, await lookAt(life, id)] as const)))
      const { restart } = await life.verdict()
      await life.kill()

      const lost = ['neither-a', 'neither-b']
      const { waiting_kept, running_continue, running_rerun, running_lost } = restart
      assert.deepEqual([waiting_kept, running_continue, running_rerun, running_lost], [4, 2, 2, 2])
      assert.deepEqual(lostShown(restart, { name: 'data', roles: ['data'] }).sort(), lost)
      assert.deepEqual(lostShown(restart, { name: 'other', roles: ['data'] }), [])

      next = await Life.begin(lived)
      for (const id of ids) {
        const was: TaskView = before.get(id) ?? assert.fail('it was looked at')
        const is: TaskView = await lookAt(next, id)
        assert.equal(is.error?.code, lost.includes(id) ? 'WORKER_RESET' : undefined, id)
        const [run] = was.attempts ?? []
        if (run === undefined) continue
        assert.deepEqual(is.attempts?.[0], { ...run, ...ended(is), code: 'WORKER_RESET', message: 'The daemon ended while the task ran.' })
        const count = was.phases?.length ?? 0
        const { to_ms, ...last } = is.phases?.[count - 1] ?? assert.fail('it has phases')
        assert.deepEqual([...(is.phases?.slice(0, count - 1) ?? []), last], was.phases)
        assert.ok(to_ms !== undefined)
      }
    } finally {
      await life.kill()
      await next?.kill()
      dir.remove()
    }
  })
})

const ended = ({ attempts }: TaskView): { readonly ended_at?: string } => {
  const ended_at = attempts?.[0]?.ended_at
  assert.notEqual(ended_at, undefined)
  return ended_at === undefined ? {} : { ended_at }
}

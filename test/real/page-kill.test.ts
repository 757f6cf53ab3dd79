import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { TaskView } from '../../src/domain/task.ts'
import { mockPool, mockTask } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { Life } from '../harness/life.ts'
import { repeats } from '../harness/long.ts'
import { isLive, pageAuth, says, Tabs } from '../harness/page.ts'
import { temporaryDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { untilAnswer } from '../harness/wait.ts'
import { read } from './seen.kit.ts'

const slow = { prefill_ms: 0, token_ms: 20, tokens: 9000 }
const pool = (id: string, fields: object): Record<string, unknown> =>
  mockPool({ id, model: `mock:${id}`, ctx: 16_384, replicas: [{ id: 'r0', slots: 2 }], mock: { ...slow, ...fields } })
const pools = [pool('replays', {}), pool('continues', { replayable: false }), pool('neither', { replayable: false, continues: false })]
const models = ['replays', 'continues', 'neither'] as const

withEngine('chromium', 'what the page says a restart would do', () => {
  /** How many tasks of each model there are: two of each run. */
  const stages = [
    [3, 1, 2],
    [0, 2, 3],
    [2, 3, 0],
    [1, 0, 1],
  ].slice(0, repeats({ quick: 1, long: 4 }))
  for (const stage of stages)
    it(`is what a SIGKILL does: ${stage.map((n, i) => `${n} ${models[i] ?? ''}`).join(', ')}`, async () => {
      const dir = temporaryDir()
      const config = { pools, auth: pageAuth, data_dir: join(dir.path, 'data') }
      let life = await Life.begin(config)
      const tabs = new Tabs(life.url, await Tabs.browser())
      const page = await tabs.open()
      try {
        const ids = stage.flatMap((n, i) => Array.from({ length: n }, (_, k) => `${models[i] ?? ''}-${k}`))
        const look = (id: string): Promise<TaskView> =>
          call(life.url, `/v1/tasks/${id}`, { key: 'webapp-key' }).then(({ json }) => json as unknown as TaskView)
        for (const task_id of ids) {
          const body = mockTask({ task_id, model_ref: `mock:${task_id.split('-')[0] ?? ''}`, max_tokens: 8000, ctx: 16_384 })
          assert.equal((await call(life.url, '/v1/tasks', { method: 'POST', key: 'webapp-key', body })).status, 202)
        }
        await untilAnswer(
          () => Promise.all(ids.filter((id) => !id.endsWith('2')).map(look)),
          (all) => all.every(({ phases }) => phases?.at(-1)?.phase === 'decoding'),
        )
        await untilAnswer(
          () => life.verdict(),
          ({ kept }) => kept,
        )
        const verdict = await settledVerdict(page, life)
        const before = await Promise.all(ids.map(look))
        await life.kill()
        await says(page.locator('header [role=status]'), /^✕ not live for/)
        life = await Life.begin({ ...config, listen: new URL(life.url).host })
        await isLive(page)

        const after = await Promise.all(ids.map(look))
        const lost = after.filter(({ error }) => error?.code === 'WORKER_RESET').map(({ task_id }) => task_id)
        const ran = before.filter(({ state }) => state === 'running').map(({ task_id }) => task_id)
        const of = (model: string): number => ran.filter((id) => id.startsWith(model)).length
        // What runs again has the same text, what goes on keeps the one it has: both are told by the pool's engine.
        assert.deepEqual(verdict, [ids.length - ran.length, of('continues'), of('replays'), lost.length])
        assert.deepEqual(
          lost,
          ran.filter((id) => id.startsWith('neither')),
        )
        assert.ok(after.every(({ task_id, state }) => lost.includes(task_id) || state === 'running' || state === 'queued'))
        const words = lost.map((id) => `${id} · webapp · The daemon was restarted while the task ran; send it again.`)
        await untilAnswer(
          async () => (await page.locator('.fail li p').allInnerTexts()).sort(),
          (shown) => shown.join() === words.join(),
          words.join(),
        )
      } finally {
        await tabs.close()
        await life.kill()
        dir.remove()
      }
    })
})

/** The verdict that the page shows once it is the daemon's. */
async function settledVerdict(page: Page, life: Life): Promise<readonly number[]> {
  const { restart } = await life.verdict()
  const wanted = [restart.waiting_kept, restart.running_continue, restart.running_rerun, restart.running_lost]
  const { restart: shown } = await untilAnswer(
    () => read(page),
    (seen) => seen.restart.join() === wanted.join(),
    `the verdict ${wanted.join()}`,
  )
  return shown
}

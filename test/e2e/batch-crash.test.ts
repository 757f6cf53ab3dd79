import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { mockPool } from '../harness/daemon.ts'
import { repeats } from '../harness/long.ts'
import { temporaryDir } from '../harness/process.ts'
import { BatchClient, lineOf } from './batches.kit.ts'
import { Lives } from './crash.kit.ts'

const count = repeats({ quick: 120, long: 5000 })
const deaths = repeats({ quick: 2, long: 8 })

describe('a batch over crashes of the daemon', () => {
  it('answers every line once', async () => {
    const dir = temporaryDir()
    const pool = mockPool({ replicas: [{ id: 'r0', slots: 4 }], queue: { capacity: 64 }, mock: { prefill_ms: 1, token_ms: 1, tokens: 4 } })
    const lives = new Lives(dir.path, { pools: [pool], shutdown_grace_ms: 40 })
    try {
      let daemon = await lives.begin()
      const client = new BatchClient(() => daemon.url, 'valid')
      const { id } = await client.create(Array.from({ length: count }, (_, n) => lineOf(n)))
      for (let death = 1; death <= deaths; death++) {
        const enough = Math.floor((count * death) / (deaths + 1))
        await client.when(id, ({ request_counts }) => request_counts.completed >= enough)
        await lives.end('SIGKILL')
        daemon = await lives.begin()
      }
      const batch = await client.over(id)
      assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: count, completed: count, failed: 0 }])
      const answers = await client.content(batch.output_file_id)
      assert.deepEqual(
        answers.map(({ custom_id }) => Number(custom_id.slice(5))).sort((a, b) => a - b),
        Array.from({ length: count }, (_, n) => n),
      )
      assert.ok(answers.every(({ response }) => response?.status_code === 200))
      const { usage } = await client.json<{ usage: { tasks: number }[] }>('/v1/usage')
      assert.equal(
        usage.reduce((sum, { tasks }) => sum + tasks, 0),
        count,
      )
      await lives.end('SIGTERM')
      const db = new DatabaseSync(join(dir.path, 'data', 'orchestratord.db'), { readOnly: true })
      // Each line is one task, and at most one part of a file.
      assert.deepEqual(
        { ...db.prepare('SELECT count(*) AS tasks, count(DISTINCT task_id) AS ids FROM tasks').get() },
        { tasks: count, ids: count },
      )
      const { parts } = db.prepare('SELECT count(*) AS parts FROM file_parts').get() as { parts: number }
      assert.ok(parts <= count + 10, `${parts} parts`)
      db.close()
    } finally {
      dir.remove()
    }
  })
})

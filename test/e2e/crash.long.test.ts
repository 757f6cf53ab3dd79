import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mockPool, talesPool } from '../harness/daemon.ts'
import { repeats } from '../harness/long.ts'
import { temporaryDir } from '../harness/process.ts'
import { random } from '../harness/random.ts'
import { Lives, type Followed } from './crash.kit.ts'

const deaths = repeats({ quick: 3, long: 20 })
const counts = {
  mock: repeats({ quick: 60, long: 400 }),
  going: repeats({ quick: 40, long: 400 }),
  tales: repeats({ quick: 12, long: 100 }),
}
/** Different tasks of each engine; the others repeat them, so that few have to be run without interruption to compare with. */
const variety = repeats({ quick: 4, long: 10 })
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const pace = { prefill_ms: 20, token_ms: 4, tokens: 30 }
const config = {
  pools: [
    talesPool({ queue: { capacity: 1000 } }),
    mockPool({ queue: { capacity: 1000 }, mock: pace }),
    // What is cut off here is gone on with.
    mockPool({ id: 'going', model: 'mock:going', queue: { capacity: 1000 }, mock: { ...pace, replayable: false } }),
  ],
  sessions: { ttl_ms: 3_600_000 },
  shutdown_grace_ms: 40,
}

const common = { workload: 'completion', priority: 'interactive', deadline_ms: 3_600_000, max_tokens: 120 }
const things = ['fox', 'owl', 'hare', 'bear', 'otter', 'heron', 'badger', 'turtle', 'wolf', 'whale']

/** Task number `n` of an engine; tasks whose numbers are equal modulo `variety` say the same. */
function taskOf(engine: keyof typeof counts, n: number): Record<string, unknown> & { task_id: string } {
  const task = {
    ...common,
    task_id: `${engine}-${n}`,
    session_id: `${engine}-${n >> 2}`,
    seed: 1 + (n % variety),
    ...(n % 5 === 0 ? { priority: 'batch' } : {}),
  }
  const mock = { engine: 'mock', model_ref: engine === 'mock' ? 'mock:v1' : 'mock:going', ctx: 8192, prompt: 'go on' }
  const tales = {
    engine: 'llamacpp',
    model_ref: 'file:models/tinytales.gguf',
    ctx: 256,
    messages: [{ role: 'user', content: `Tell me a story about a ${things[n % variety] ?? 'cat'}.` }],
  }
  return { ...task, ...(engine === 'tales' ? tales : mock) }
}

const tasks = (count: (engine: keyof typeof counts) => number): (Record<string, unknown> & { task_id: string })[] =>
  (['tales', 'mock', 'going'] as const).flatMap((engine) => Array.from({ length: count(engine) }, (_, n) => taskOf(engine, n)))

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe(`a daemon that dies again and again (CRASH_SEED=${seed})`, () => {
  let dir: ReturnType<typeof temporaryDir>
  /** Token frames of each kind of task, from a daemon that nobody disturbs. */
  const undisturbed = new Map<string, readonly string[]>()

  before(async () => {
    dir = temporaryDir()
    const lives = new Lives(dir.path, { ...config, data_dir: join(dir.path, 'undisturbed') })
    await lives.begin()
    for (const task of tasks(() => variety)) {
      await lives.post(task)
      undisturbed.set(task.task_id, (await lives.follow(task.task_id)).tokens)
    }
    await lives.end('SIGTERM')
  })
  after(() => dir.remove())

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    it(`ends every task once, and every stream is whole: ${signal}`, async () => {
      const data_dir = join(dir.path, signal)
      const lives = new Lives(dir.path, { ...config, data_dir })
      const next = random(seed)
      let over = false
      const all = tasks((engine) => counts[engine])
      const followed = new Map<string, Followed>()
      await lives.begin()
      const clients = Promise.all(
        all.map(async (task) => {
          await lives.post(task)
          followed.set(task.task_id, await lives.follow(task.task_id))
        }),
      ).finally(() => (over = true))
      clients.catch(() => undefined)
      for (let early = false; lives.count <= deaths;) {
        // A task is given up after three runs. So at most two lives in a row end before those that were cut off have had the time to end.
        early = !early && next() < 0.4
        const enough = (): boolean =>
          over || (countOf(lives.ended, 'mock') >= 8 && countOf(lives.ended, 'going') >= 8 && countOf(lives.ended, 'tales') >= 3)
        while (!early && !enough()) await pause(5)
        await pause(next() * (early ? 400 : 100))
        await lives.end(signal)
        await lives.begin()
      }
      await clients
      await lives.end('SIGTERM')

      for (const { task_id } of all) {
        const { tokens, ends } = followed.get(task_id) ?? assert.fail(task_id)
        assert.deepEqual(
          ends.map(({ event }) => event),
          ['end'],
          `${task_id}: ${JSON.stringify(ends)}`,
        )
        assert.deepEqual(tokens, undisturbed.get(kindOf(task_id)), task_id)
        assert.equal(ends[0]?.data['tokens_out'], tokens.length)
      }
      assert.ok(
        [...followed.values()].some(({ connections }) => connections > 1),
        'no stream was ever cut',
      )
      const db = new DatabaseSync(join(data_dir, 'orchestratord.db'), { readOnly: true })
      assert.deepEqual(
        { ...db.prepare('SELECT count(*) AS tasks, sum(ended = ?) AS completed FROM tasks').get('completed') },
        { tasks: all.length, completed: all.length },
      )
      // Turns are counted once for each task, however often it was run.
      assert.deepEqual(
        db
          .prepare('SELECT DISTINCT turns FROM sessions')
          .all()
          .map((row) => ({ ...row })),
        [{ turns: 4 }],
      )
      db.close()
    }).timeout(1_200_000)
})

const countOf = (ids: Iterable<string>, engine: string): number => [...ids].filter((id) => id.startsWith(engine)).length

/** The task that says the same and was not disturbed. */
const kindOf = (task_id: string): string => task_id.replace(/\d+$/, (n) => String(Number(n) % variety))

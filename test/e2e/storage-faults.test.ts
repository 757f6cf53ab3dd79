import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mockPool } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { random } from '../harness/random.ts'
import { readStream } from '../harness/sse.ts'
import { authWith, prices } from './budgets.kit.ts'

const rounds = repeats({ quick: 4, long: 40 })
const perRound = 12
const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const owners = ['ann', 'bob'] as const
const budgets = { tokens: 1_000_000, time_ms: 36_000_000, cost: 1000 }
const mock = { prefill_ms: 5, token_ms: 2, tokens: 12 }

const config = {
  auth: authWith({ ann: { budgets }, bob: { budgets } }),
  pools: [
    mockPool({ prices, replicas: [{ id: 'r0', slots: 3 }], queue: { capacity: 1000 }, mock }),
    // What is cut off here is gone on with from what the journal has.
    mockPool({ id: 'going', model: 'mock:going', prices, queue: { capacity: 1000 }, mock: { ...mock, replayable: false } }),
  ],
  sessions: { ttl_ms: 36_000_000, max_turns: 1000, budgets },
  limits: { free_bytes: 0 },
}

interface Wanted {
  readonly owner: string
  readonly task: { readonly task_id: string }
  readonly canceled: boolean
}

/** Task number `n`: of each key, in a few sessions, at both pools; some are canceled as soon as they are accepted. */
function wanted(n: number): Wanted {
  const owner = owners[n % 2] ?? 'ann'
  const task = {
    ...{ task_id: `t${n}`, session_id: `s${n % 3}`, workload: 'completion', engine: 'mock', ctx: 8192, priority: 'interactive' },
    ...{ model_ref: n % 4 < 2 ? 'mock:v1' : 'mock:going', prompt: 'go on', max_tokens: 4 + (n % 9), seed: n, deadline_ms: 3_600_000 },
  }
  return { owner, task, canceled: n % 7 === 0 }
}

const isEnd = ({ event, task_id }: Readonly<Record<string, unknown>>): boolean =>
  task_id !== undefined && (event === 'end' || event === 'cancel' || event === 'error')

describe(`a disk whose writes and syncs fail at random (FAULTS_SEED=${seed})`, () => {
  let dir: ReturnType<typeof temporaryDir>
  let daemon: DaemonProcess | undefined
  before(() => (dir = temporaryDir()))
  after(async () => {
    await daemon?.stop('SIGKILL')
    dir.remove()
  })

  /** Posts it until it is accepted. False where the daemon has gone away before. */
  async function accepted(url: string, { owner, task, canceled }: Wanted): Promise<boolean> {
    for (;;) {
      const answer = await call(url, '/v1/tasks', { method: 'POST', key: owner, body: task }).catch(() => undefined)
      if (answer === undefined) return false
      if (answer.status === 202) break
      assert.equal(answer.status, 503, answer.text)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if (canceled) await call(url, `/v1/tasks/${task.task_id}/cancel`, { method: 'POST', key: owner }).catch(() => undefined)
    return true
  }

  it(`adds up to the last token after ${rounds} rounds with kills between, as on a healthy disk`, async () => {
    const next = random(seed)
    let waiting: Wanted[] = []
    let [failed, made] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const env = {
        NODE_OPTIONS: `--import ${new URL('../harness/disk-faults.ts', import.meta.url).href}`,
        DISK_FAULTS: String(seed + round),
      }
      const life = (daemon = DaemonProcess.spawn(dir.path, { config, env }))
      const all = [...waiting, ...Array.from({ length: perRound }, () => wanted(made++))]
      const goal = Math.floor(next() * perRound)
      const ended = (): boolean => life.lines.filter(isEnd).length >= goal
      const taken = new Set<Wanted>()
      // The disk itself may kill it at any moment.
      const work = life
        .line(({ event, address }) => event === 'start' && address !== undefined)
        .then(() => Promise.all(all.map(async (one) => (await accepted(life.url, one)) && taken.add(one))))
        .then(() => life.line(ended))
      await Promise.race([work, life.exited]).catch((error: unknown) => life.exited.then(() => assert.match(String(error), /daemon ended/)))
      assert.deepEqual(await life.stop('SIGKILL'), { code: null, signal: 'SIGKILL' }, JSON.stringify(life.lines.at(-1)))
      await work.catch(() => undefined)
      failed += life.lines.filter(({ event, level }) => event === 'storage' && Number(level) >= 50).length
      waiting = all.filter((one) => !taken.has(one))
    }
    assert.ok(failed > 0, 'no write ever failed')

    daemon = await DaemonProcess.start(dir.path, { config })
    const { url } = daemon
    for (const one of waiting) assert.ok(await accepted(url, one))
    for (let n = 0; n < made; n++) {
      const { owner, task } = wanted(n)
      assert.ok(['end', 'error'].includes(String((await readStream(url, task.task_id, owner)).terminal?.event)), task.task_id)
    }
    await daemon.stop()
    assertBooks(join(dir.path, 'data', 'orchestratord.db'), made)
  }).timeout(1_200_000)
})

/** What sessions and keys have spent is what their tasks used, each once; the turns are those that were dispatched. */
function assertBooks(file: string, tasks: number): void {
  const db = new DatabaseSync(file, { readOnly: true })
  const rows = (sql: string): unknown[] =>
    db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  const used = "coalesce(sum(coalesce(outcome ->> 'tokens_in', 0) + coalesce(outcome ->> 'tokens_out', 0)), 0)"
  assert.deepEqual(rows('SELECT count(*) AS tasks, count(ended) AS ended FROM tasks'), [{ tasks, ended: tasks }])
  assert.deepEqual(
    rows("SELECT owner, spent ->> 'tokens' AS tokens FROM keys ORDER BY owner"),
    rows(`SELECT owner, ${used} * 1.0 AS tokens FROM tasks GROUP BY owner ORDER BY owner`),
  )
  assert.deepEqual(
    rows("SELECT owner, session_id, spent ->> 'tokens' AS tokens FROM sessions ORDER BY owner, session_id"),
    rows(`SELECT owner, session_id, ${used} * 1.0 AS tokens FROM tasks GROUP BY owner, session_id ORDER BY owner, session_id`),
  )
  // Of what was canceled before its dispatch could be written nothing tells whether it was dispatched.
  const began = 'EXISTS (SELECT 1 FROM attempts WHERE attempts.seq = tasks.seq)'
  assert.deepEqual(
    rows(`SELECT owner, session_id, turns, least, most FROM sessions JOIN (SELECT owner, session_id, sum(${began}) AS least,
      sum(${began} OR outcome ->> 'state' = 'canceled') AS most FROM tasks GROUP BY owner, session_id) USING (owner, session_id)
      WHERE turns < least OR turns > most`),
    [],
  )
  const sums = "sum(spent ->> 'cost_nano') AS cost, round(sum(spent ->> 'time_ms'), 3) AS ms"
  assert.deepEqual(rows(`SELECT ${sums} FROM keys`), rows(`SELECT ${sums} FROM sessions`))
  assert.deepEqual(
    rows("SELECT owner, spent ->> 'cost_nano' AS cost, spent ->> 'tokens' AS tokens FROM keys ORDER BY owner"),
    rows(
      'SELECT owner, sum(cost_nano) * 1.0 AS cost, sum(tokens_in + tokens_out) * 1.0 AS tokens FROM usage GROUP BY owner ORDER BY owner',
    ),
  )
  db.close()
}

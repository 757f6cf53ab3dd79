import assert from 'node:assert/strict'
import fc from 'fast-check'
import { settled } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { ann, bob, boss, poolConfig, startRig, type Rig } from '../../harness/rig.ts'
import { comparable, Watcher } from './watcher.kit.ts'

/** Something that happens; `n` picks what it happens to. */
interface Step {
  readonly what: 'admit' | 'say' | 'finish' | 'fail' | 'cancel' | 'drain' | 'resume' | 'die' | 'wait' | 'read' | 'return'
  readonly n: number
}

const often = (what: Step['what'], times: number): Step['what'][] => Array<Step['what']>(times).fill(what)

const step = fc.record({
  what: fc.constantFrom<Step['what'][]>(
    ...often('admit', 10),
    ...often('say', 5),
    ...often('finish', 3),
    ...often('wait', 8),
    ...often('read', 8),
    ...(['fail', 'cancel', 'drain', 'resume', 'resume', 'die', 'return'] as const),
  ),
  n: fc.nat(1000),
})

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)]

async function take(rig: Rig, watchers: readonly Watcher[], { what, n }: Step): Promise<void> {
  const running = [...rig.engines.values()].flatMap((engine) => engine.running)
  const task = pick([...rig.live.all()], n)
  switch (what) {
    case 'admit': {
      const priority = n % 3 === 0 ? 'batch' : 'interactive'
      const fields = {
        priority,
        model_ref: n % 2 === 0 ? 'mock:a' : 'mock:b',
        task_id: `task-${n % 60}`,
        max_tokens: 1 + (n % 50),
      } as const
      await rig.run(fields, pick([ann, bob, boss], n)).catch(() => undefined)
      return
    }
    case 'say':
      pick(running, n)?.say('word ')
      break
    case 'finish':
      pick(running, n)?.finish()
      break
    case 'fail':
      pick(running, n)?.fail()
      break
    case 'cancel':
      if (task !== undefined) await rig.cancellation.cancel({ name: task.owner, roles: ['data'] }, task.head.task_id).catch(() => undefined)
      break
    case 'drain':
      rig.drain.drain(n % 2 === 0 ? 'a' : 'b', 5000)
      break
    case 'resume':
      rig.drain.resume(n % 2 === 0 ? 'a' : 'b')
      break
    case 'die':
      pick([...rig.engines.values()], n)?.die()
      break
    case 'wait':
      await rig.clock.advance(n % 350)
      break
    case 'read':
      pick(watchers, n)?.read(1 + (n % 700))
      break
    case 'return':
      pick(watchers, n)?.reconnect()
      break
  }
  await settled()
}

const pools = ['a', 'b'].map((id) =>
  poolConfig({
    id,
    model: `mock:${id}`,
    queue: { capacity: 12 },
    replicas: [
      { id: 'r0', slots: 2 },
      { id: 'r1', slots: 1 },
    ],
  }),
)

const wishes = [
  { who: boss, query: {} },
  { who: boss, query: { pools: 'b', rows: 1, tasks: 'task-1,task-2,task-3,task-4,task-5' } },
  { who: boss, query: { rows: 0 } },
  { who: ann, query: {} },
  { who: bob, query: { rows: 2, tasks: 'task-1,task-2,task-3,task-4,task-5,task-6' } },
] as const

/** What the feed says against what the queue listing says of the same moment. */
function checkTruth(rig: Rig, watcher: Watcher, who: (typeof wishes)[number]['who'], rows: number, pool_id: string): void {
  const { entries } = rig.tasks.queue(who, pool_id, { limit: 200 })
  const order = watcher.picture.order.get(pool_id)!
  const listed = order.first.flatMap((h) => (h < 0 ? Array<undefined>(-h).fill(undefined) : [watcher.picture.rows.get(h)!.task_id]))
  const waiting = entries.filter(({ state }) => state === 'queued').map(({ task_id }) => task_id)
  // Who sees only its own is told no further than its last.
  assert.deepEqual(listed, waiting.slice(0, listed.length))
  const own = waiting.filter((id) => id !== undefined).length
  assert.equal(listed.filter((id) => id !== undefined).length, Math.min(own, rows))
  assert.equal(order.total, waiting.length)
  assert.equal(order.rest?.count ?? 0, waiting.length - listed.length)
  for (const { task_id, waits } of entries) {
    const row = [...watcher.picture.rows.values()].find((one) => one.task_id === task_id && one.pool_id === pool_id)
    if (row === undefined || waits === undefined) continue
    assert.deepEqual([row.waits?.code, row.waits?.text], [waits.code, waits.text])
  }
  const running = entries.filter(({ state, task_id }) => state === 'running' && task_id !== undefined).map(({ task_id }) => task_id)
  const shown = [...watcher.picture.rows.values()].filter((row) => row.state === 'running' && row.pool_id === pool_id)
  assert.deepEqual(shown.map(({ task_id }) => task_id).sort(), running.sort())
  const seats = shown.map(({ replica_id, slot }) => `${replica_id}/${slot}`)
  assert.equal(new Set(seats).size, seats.length)
}

/** What there is of each key, and what a restart would do, by all tasks there are. */
function sumsOf(rig: Rig): object {
  const tasks = [...rig.live.all()]
  const keys = [ann, bob, boss].map(({ name }) => {
    const own = tasks.filter(({ owner }) => owner === name)
    return {
      waiting: own.filter(({ phase }) => phase === 'queued').length,
      running: own.filter((task) => task.started_at !== undefined).length,
    }
  })
  const { lost, lossless_in_ms: _, ...restart } = rig.restart()
  return { keys, restart: { ...restart, lost: lost.map(({ task_id }) => task_id).sort() } }
}

/** What is said of them, some of which is worked out every 2 s: once nothing has changed for so long. */
async function checkSums(rig: Rig, watcher: Watcher): Promise<void> {
  for (let before = {}, tries = 0; JSON.stringify(before) !== JSON.stringify(sumsOf(rig)); tries++) {
    assert.ok(tries < 100)
    before = sumsOf(rig)
    await rig.clock.advance(3000)
  }
  const { keys, daemon } = watcher.read().picture
  const told = [ann, bob, boss].map(({ name }) => ({ waiting: keys.get(name)?.waiting ?? 0, running: keys.get(name)?.running ?? 0 }))
  const { lost, lossless_in_ms: _, ...restart } = daemon!.restart
  assert.deepEqual({ keys: told, restart: { ...restart, lost: [...lost].sort() } }, sumsOf(rig))
}

/** Lets a second go by in which no task has come to anything: what happens in the very moment of a look is told with the next one. */
async function untilStill(rig: Rig): Promise<void> {
  const phases = (): string => [...rig.live.all()].map(({ id, phase, pool }) => `${id} ${phase} ${pool.id}`).join()
  for (let before; before !== phases();) {
    before = phases()
    await rig.clock.advance(1100)
  }
}

describe('what a viewer has merged', function () {
  it('is what a snapshot says, however it has read, and what the queue listing says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 150 }), async (steps) => {
        const rig = await startRig({ pools })
        const watchers = wishes.map(({ who, query }) => new Watcher(rig.feed, who, query))
        for (const one of steps) await take(rig, watchers, one)
        await untilStill(rig)
        for (const [index, watcher] of watchers.entries()) {
          watcher.read()
          const { who, query } = wishes[index]!
          const fresh = new Watcher(rig.feed, who, query).read()
          assert.equal(fresh.events[0], 'snapshot')
          assert.deepEqual(comparable(watcher.picture, fresh.picture.at), comparable(fresh.picture, fresh.picture.at))
          if ('pools' in query) checkTruth(rig, watcher, who, 1, 'b')
          else for (const id of ['a', 'b']) checkTruth(rig, watcher, who, 'rows' in query ? query.rows : 30, id)
          fresh.close()
        }
        await checkSums(rig, watchers[0]!)
        for (const watcher of watchers) watcher.close()
      }),
      { numRuns: repeats({ quick: 60, long: 500 }) },
    )
  })
})

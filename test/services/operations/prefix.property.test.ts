import assert from 'node:assert/strict'
import fc from 'fast-check'
import { taskKeyOf } from '../../../src/domain/task.ts'
import type { Fact } from '../../../src/ports/journal.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { ann, bob, poolConfig, startRig, taskOf, type Rig, type RigOptions } from '../../harness/rig.ts'
import type { EngineCall } from '../../harness/scripted-engine.ts'
import { unfinishedOf } from '../../harness/unfinished.ts'
import { sessionsOf } from '../../harness/sessions-stored.ts'

const pieces = 4

/** What the engine says for a seed: always the same. */
const textOf = (seed: number): string[] => Array.from({ length: pieces }, (_, i) => `${seed}.${i} `)

const owners = [ann, bob] as const
const step = fc.record({
  name: fc.constantFrom('admit', 'admit', 'say', 'say', 'say', 'finish', 'fail', 'die', 'cancel', 'wait'),
  pick: fc.nat(99),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const keyBudgets = new Map([['ann', { tokens: 100_000, cost: 1 }]])
const options = (replayable: boolean): RigOptions => ({
  keyBudgets,
  props: { replayable },
  sessions: { ttl_ms: 2_000_000_000, max_turns: 1000 },
  pools: [
    poolConfig({
      replicas: [
        { id: 'r0', slots: 2 },
        { id: 'r1', slots: 1 },
      ],
      queue: { capacity: 4, full_policy: 'drop-lru', batch_every: 3 },
    }),
  ],
})

/** Pieces a call has said. */
const said = new WeakMap<EngineCall, number>()

function say(call: EngineCall, most: number): void {
  const from = said.get(call) ?? 0
  for (const piece of textOf(call.request.seed).slice(from, from + most)) call.say(piece)
  said.set(call, Math.min(pieces, from + most))
}

function finish(call: EngineCall): void {
  say(call, pieces)
  call.finish({ tokens_in: 3, tokens_out: pieces })
}

const callsOf = (rig: Rig): EngineCall[] => [...rig.engines.values()].flatMap(({ running }) => running)

async function live(rig: Rig, steps: readonly Step[]): Promise<void> {
  let made = 0
  for (const { name, pick } of steps) {
    const calls = callsOf(rig)
    const call = calls[pick % Math.max(1, calls.length)]
    const tasks = [...rig.live.all()]
    const task = tasks[pick % Math.max(1, tasks.length)]
    if (name === 'admit') {
      made++
      const fields = {
        task_id: `t${made}`,
        session_id: `s${made % 3}`,
        seed: made,
        priority: pick % 3 === 0 ? ('batch' as const) : ('interactive' as const),
        deadline_ms: pick % 7 === 0 ? 500 : 600_000,
      }
      await rig.admission.admit(owners[pick % 2] ?? ann, taskOf(fields), 'c').catch(() => undefined)
    } else if (name === 'say' && call !== undefined) say(call, 1 + (pick % 2))
    else if (name === 'finish' && call !== undefined) finish(call)
    else if (name === 'fail') call?.fail()
    else if (name === 'die' && pick < 40) rig.engine(pick % 2 === 0 ? 'pool/r0' : 'pool/r1').die()
    else if (name === 'cancel' && task !== undefined && pick < 50)
      await rig.cancellation
        .cancel(owners.find(({ name: owner }) => owner === task.owner) ?? ann, task.accepted.task_id)
        .catch(() => undefined)
    else if (name === 'wait') await rig.clock.advance(pick * 5)
    await settled()
  }
}

/** What a journal says, read as plainly as possible. */
function read(facts: readonly Fact[], replayable: boolean): { readonly unfinished: string[]; readonly again: string[] } {
  const unfinished = new Map<string, number>()
  for (const fact of facts) {
    if (fact.kind === 'accepted') unfinished.set(taskKeyOf(fact.task.owner, fact.task.task_id), 0)
    else if (fact.kind === 'finished') unfinished.delete(taskKeyOf(fact.key.owner, fact.key.task_id))
    else if (fact.kind === 'attempt') {
      const key = taskKeyOf(fact.key.owner, fact.key.task_id)
      if (unfinished.has(key)) unfinished.set(key, Math.max(fact.attempt, unfinished.get(key) ?? 0))
    }
  }
  const again = [...unfinished].filter(([, attempts]) => attempts === 0 || (replayable && attempts < 3))
  return { unfinished: [...unfinished.keys()], again: again.map(([key]) => key) }
}

/** A daemon that died when exactly these commits were durable is started again, and left alone until nothing lives any more. */
async function recoverFrom(commits: readonly (readonly Fact[])[], at: number, replayable: boolean): Promise<void> {
  const storage = new MemoryStorage()
  for (const facts of commits) await storage.journal.commit(facts)
  const { unfinished, again } = read(storage.durable, replayable)
  const rig = await startRig({ ...options(replayable), storage, clock: new FakeClock(at) })
  assert.deepEqual([...rig.live.all()].map(({ id }) => id).sort(), again.sort())
  for (let round = 0; rig.live.size > 0; round++) {
    assert.ok(round < 200, 'tasks that never end')
    for (const call of callsOf(rig)) finish(call)
    await rig.clock.advance(100)
  }
  const ends = storage.facts('finished')
  const known = new Set(storage.facts('accepted').map(({ task }) => taskKeyOf(task.owner, task.task_id)))
  assert.deepEqual(ends.map(({ key }) => taskKeyOf(key.owner, key.task_id)).sort(), [...known].sort(), 'one end for each accepted task')
  assert.deepEqual(await unfinishedOf(storage.journal), [])
  for (const { task } of storage.facts('accepted')) {
    const { owner, task_id, seed } = task
    const tail = await rig.tail(
      task_id,
      owners.find(({ name }) => name === owner),
    )
    if (tail.end?.['finish_reason'] !== undefined) assert.equal(tail.text, textOf(seed).join(''))
    else if (unfinished.includes(taskKeyOf(owner, task_id)))
      assert.ok(['WORKER_RESET', 'DEADLINE_UNMET'].includes(String(tail.end?.['code'])), String(tail.end?.['code']))
  }
  await checkBooks(storage)
}

/** Turns are those of the tasks that were dispatched, and what a key has spent is what its tasks used. */
async function checkBooks(storage: MemoryStorage): Promise<void> {
  const begun = new Set(storage.facts('attempt').map(({ key }) => taskKeyOf(key.owner, key.task_id)))
  const turns = new Map<string, number>()
  for (const { task } of storage.facts('accepted')) {
    const session = `${task.owner}/${task.request.session_id}`
    turns.set(session, (turns.get(session) ?? 0) + (begun.has(taskKeyOf(task.owner, task.task_id)) ? 1 : 0))
  }
  const stored = new Map(
    (await sessionsOf(storage.sessions)).map(({ owner, session_id, turns: taken }) => [`${owner}/${session_id}`, taken]),
  )
  for (const [session, count] of turns) assert.equal(stored.get(session), count, `turns of ${session}`)
  const used = storage
    .facts('finished')
    .filter(({ key }) => key.owner === 'ann')
    .reduce((sum, { outcome }) => sum + (outcome.tokens_in ?? 0) + (outcome.tokens_out ?? 0), 0)
  assert.equal((await storage.sessions.spentByKeys()).get('ann')?.tokens ?? 0, used)
}

describe('recovery from every prefix of a journal', () => {
  it('ends every accepted task once, with its text whole and its turn and tokens booked once', async () => {
    let prefixes = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50, size: 'max' }), fc.boolean(), async (steps, replayable) => {
        const rig = await startRig(options(replayable))
        await live(rig, steps)
        const { commits } = rig.storage
        for (let length = 0; length <= commits.length; length++) {
          prefixes++
          await recoverFrom(commits.slice(0, length), rig.clock.now(), replayable)
        }
      }),
      { numRuns: repeats({ quick: 30, long: 150 }) },
    )
    assert.ok(prefixes > repeats({ quick: 200, long: 1000 }), `${prefixes} prefixes`)
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Storage } from '../../src/ports/storage.ts'
import type { CatalogRecord } from '../../src/domain/catalog/catalog.ts'
import type { PoolRecord } from '../../src/domain/pool-record.ts'
import type { Session } from '../../src/domain/accounts/session.ts'
import { DuplicateTaskError } from '../../src/ports/journal.ts'
import type { Fact } from '../../src/ports/journal.ts'
import { StorageModel } from './storage.model.ts'
import { accepted, acceptedAnew, artifactFact, finished, sampleArtifact, sampleLog, sampleOutcome, sampleTask } from './storage.samples.ts'
import { sampleModel, samplePool, sampleSession, withoutContent } from './storage.samples.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { sessionsOf } from '../harness/sessions-stored.ts'

// Few names, so that steps meet: duplicates, second outcomes, outcomes of tasks that do not exist.
const owner = fc.constantFrom('ann', 'bob')
const task_id = fc.constantFrom('t1', 't2', 't3', 't4')
const session_id = fc.constantFrom('s1', 's2')
const model_id = fc.constantFrom('m1', 'm2', 'm3')
const ended = fc.constantFrom('completed', 'failed', 'canceled')
const kind = fc.constantFrom('plan', 'diff', 'other')
const tag = fc.constantFrom('x', 'y', 'z')
const time = fc.integer({ min: 0, max: 20 })
// Frames are bytes on the wire and artifacts have canonical JSON: no lone surrogates there. A prompt may have them.
const wellFormed = fc.string({ unit: 'binary' })
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) })

const pool_id = fc.constantFrom('pool', 'p1', 'p2')

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.tuple(owner, task_id, session_id, anyText).map((args) => accepted(...args)),
  fc.tuple(owner, task_id, pool_id, time).map(([o, t, p, at]): Fact => {
    return { kind: 'accepted', task: { ...sampleTask(o, t), pool_id: p, accepted_at: at } }
  }),
  fc.tuple(owner, task_id, pool_id).map(([o, t, p]): Fact => ({ kind: 'moved', key: { owner: o, task_id: t }, pool_id: p })),
  fc.tuple(owner, task_id, session_id, anyText).map((args) => acceptedAnew(...args)),
  fc
    .tuple(owner, task_id, ended, time, wellFormed)
    .map(([o, t, state, at, text]) => finished(o, t, sampleOutcome(state, at), sampleLog(text))),
  fc.tuple(owner, task_id, fc.nat(3), fc.constantFrom('replayable', 'recorded', 'neither')).map(([o, t, attempt, how]): Fact => {
    const run = {
      kind: 'attempt',
      key: { owner: o, task_id: t },
      attempt,
      replica_id: 'r1',
      replayable: how === 'replayable',
      at: 1,
    } as const
    return how === 'recorded' ? { ...run, recorded: true } : run
  }),
  fc
    .tuple(owner, task_id, fc.nat(40), wellFormed)
    .map(([o, t, first, parts]): Fact => ({ kind: 'parts', key: { owner: o, task_id: t }, first, parts })),
  fc
    .tuple(owner, task_id, fc.nat(3))
    .map(([o, t, attempt]): Fact => ({ kind: 'attempt_withdrawn', key: { owner: o, task_id: t }, attempt })),
  fc.tuple(owner, task_id, kind).map(([o, t, k]): Fact => {
    return { kind: 'task_forgotten', key: { owner: o, task_id: t }, artifacts: [sampleArtifact(o, 'same', { kind: k, tags: [] }, 0).id] }
  }),
  fc
    .tuple(owner, fc.nat(2 ** 40))
    .map(([o, tokens]): Fact => ({ kind: 'key_spent', owner: o, more: { tokens, cost_nano: 1, time_ms: 0.5 } })),
  fc
    .tuple(fc.constantFrom('p1', 'p2'), fc.option(fc.nat(), { nil: undefined }))
    .map(([p, until]): Fact => ({ kind: 'pool_put', pool: samplePool(p, until) })),
  fc
    .tuple(owner, session_id, fc.nat(), fc.nat(9))
    .map(([o, s, turns, created_at]): Fact => ({ kind: 'session_put', session: { ...sampleSession(o, s, turns), created_at } })),
  fc.tuple(owner, session_id, fc.nat(9), fc.nat()).map(([o, s, created_at, cost]): Fact => {
    return { kind: 'session_renewed', owner: o, session_id: s, created_at, expires_at: created_at + 7, budgets: { cost } }
  }),
  fc.tuple(owner, session_id, fc.nat(9), fc.nat(2 ** 40), fc.nat(2)).map(([o, s, created_at, tokens, turns]): Fact => {
    const more = { tokens, cost_nano: 3, time_ms: 0.25 }
    return { kind: 'session_spent', owner: o, session_id: s, created_at, expires_at: created_at + 9, turns, more }
  }),
  fc.tuple(owner, session_id).map(([o, s]): Fact => ({ kind: 'session_deleted', owner: o, session_id: s })),
  fc
    .tuple(model_id, fc.nat(), wellFormed)
    .map(([id, seq, fetch_error]): Fact => ({ kind: 'model_put', model: sampleModel(id, seq, { fetch_error }) })),
  model_id.map((id): Fact => ({ kind: 'model_deleted', id })),
  fc
    .tuple(owner, fc.oneof(fc.constant('same'), wellFormed), kind, fc.array(tag, { maxLength: 3 }), time)
    .map(([o, content, k, tags, at]) => artifactFact(sampleArtifact(o, content, { kind: k, tags }, at))),
)

const facts = fc.array(fact, { maxLength: 4 })
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined })
const limit = fc.integer({ min: 1, max: 5 })
const taskFilter = {
  owner: maybe(owner),
  session_id: maybe(session_id),
  ended: maybe(fc.oneof(ended, fc.constant('unfinished' as const))),
  code: maybe(fc.constantFrom('INTERNAL' as const, 'CANCELED' as const)),
  pool_id: maybe(pool_id),
  task_id_prefix: maybe(fc.constantFrom('t', 't1', 't2', 'x')),
  from: maybe(time),
  to: maybe(time),
  limit,
}
const artifactFilter = { owner: maybe(owner), kind: maybe(kind), tag: maybe(tag), limit }

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit' as const), commits: fc.array(facts, { minLength: 1, maxLength: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tasks' as const), ...taskFilter }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('artifacts' as const), ...artifactFilter }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('task' as const), owner, task_id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfinished' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sessions' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keys' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pools' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('models' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), tasks: time, artifacts: time }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Steps of commits and reads after which a storage and the model must agree. */
export const steps: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 25 })

/** Runs the steps against both; commits are not waited for, so that reads come while they are queued or in flight. */
export async function agree(storage: Storage, plan: readonly Step[]): Promise<void> {
  const model = new StorageModel()
  const commits: Promise<void>[] = []
  for (const one of plan) {
    if (one.do === 'commit') for (const commit of one.commits) commits.push(checkCommit(storage, commit, model.commit(commit)))
    else await checkStep(storage, model, one)
  }
  await Promise.all(commits)
}

async function checkCommit(storage: Storage, commit: readonly Fact[], written: boolean): Promise<void> {
  const done = storage.journal.commit(commit)
  await (written ? done : assert.rejects(done, DuplicateTaskError))
}

async function checkStep(storage: Storage, model: StorageModel, one: Exclude<Step, { do: 'commit' }>): Promise<void> {
  const { journal, eventLog, sessions, artifacts } = storage
  switch (one.do) {
    case 'tasks': {
      const filter = given(one)
      return equal((await journal.list(filter)).tasks.map(bare), model.list(filter))
    }
    case 'artifacts': {
      const filter = given(one)
      return equal((await artifacts.list(filter)).map(bare), model.listArtifacts(filter).map(withoutContent))
    }
    case 'task': {
      const found = await journal.find(one.owner, one.task_id)
      equal(found && bare(found), model.find(one.owner, one.task_id))
      equal(await eventLog.read(one), model.log(one))
      equal(await journal.recorded(one), model.recorded(one))
      for (const stored of model.artifacts) equal(await artifacts.get(stored.owner, stored.id), stored)
      return
    }
    case 'unfinished':
      return equal(await unfinishedOf(journal), model.unfinished())
    case 'sessions':
      return equal((await sessionsOf(sessions)).sort(byKey), [...model.sessions.values()].sort(byKey))
    case 'keys':
      return equal(new Map([...(await sessions.spentByKeys())].sort()), new Map([...model.keys].sort()))
    case 'pools':
      return equal((await storage.pools.all()).sort(byPool), [...model.pools.values()].sort(byPool))
    case 'models':
      return equal((await storage.catalog.all()).sort(byId), [...model.models.values()].sort(byId))
    case 'purge':
      model.purge(one.tasks, one.artifacts)
      return journal.purge(one.tasks, one.artifacts)
  }
}

const equal = (actual: unknown, expected: unknown): void => assert.deepStrictEqual(actual, expected)

const byPool = (a: PoolRecord, b: PoolRecord): number => a.pool_id.localeCompare(b.pool_id)

const byId = (a: CatalogRecord, b: CatalogRecord): number => a.request.id.localeCompare(b.request.id)

const byKey = (a: Session, b: Session): number => `${a.owner}/${a.session_id}`.localeCompare(`${b.owner}/${b.session_id}`)

/** The filter without the step's name and without what is undefined, which the port's type does not take. */
function given<T extends { do: string }>(one: T): { [K in Exclude<keyof T, 'do'>]: Exclude<T[K], undefined> } {
  const entries = Object.entries<unknown>(one).filter(([name, value]) => name !== 'do' && value !== undefined)
  return Object.fromEntries(entries) as { [K in Exclude<keyof T, 'do'>]: Exclude<T[K], undefined> }
}

function bare<T extends { seq: number }>(record: T): Omit<T, 'seq'> {
  const { seq, ...rest } = record
  assert.ok(Number.isSafeInteger(seq))
  return rest
}

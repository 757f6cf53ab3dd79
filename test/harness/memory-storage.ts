import type { Spent } from '../../src/domain/accounts/budget.ts'
import type { CatalogRecord } from '../../src/domain/catalog/catalog.ts'
import type { PoolRecord } from '../../src/domain/pool-record.ts'
import type { Session } from '../../src/domain/accounts/session.ts'
import type { StoredLog } from '../../src/domain/stream/task-events.ts'
import { taskKeyOf, type TaskKey, type UnfinishedTask } from '../../src/domain/task.ts'
import type { CatalogStore } from '../../src/ports/catalog-store.ts'
import type { EventLog } from '../../src/ports/event-log.ts'
import { DuplicateTaskError, StorageError, type Fact, type Journal } from '../../src/ports/journal.ts'
import type { PoolStore } from '../../src/ports/pool-store.ts'
import type { Space } from '../../src/ports/space.ts'
import type { Storage } from '../../src/ports/storage.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'
import { newGate, type Gate } from './gate.ts'
import { applyToKeys, applyToSessions } from './session-facts.ts'
import { MemoryArtifacts } from './memory-artifacts.ts'
import { MemoryBatches } from './memory-batches.ts'
import { headIn, keep, listed, listOf, MemoryAttempts, movedBy, recordOf, type KeptTask } from './memory-tasks.ts'

/**
 * The storage ports in memory, as asynchronous and as strictly in order as the real one, with a disk that a test can stop and break.
 * It passes the conformance suite of the storage ports.
 */
export class MemoryStorage implements Storage {
  /** Commits in the order they became durable. */
  readonly commits: (readonly Fact[])[] = []
  /** Whether commits fail; looked at when it is a commit's place in the order. */
  broken = false
  /** How many of the next commits fail. */
  failing = 0
  /** What is free, bytes. */
  free = Infinity
  /** Commits with a fact of this kind fail. */
  refuses: Fact['kind'] | undefined
  private records: KeptTask[] = []
  private readonly logs = new Map<string, StoredLog>()
  private readonly sessionsByKey = new Map<string, Session>()
  private readonly models = new Map<string, CatalogRecord>()
  private readonly keys = new Map<string, Spent>()
  private readonly poolRecords = new Map<string, PoolRecord>()
  private readonly attempts = new MemoryAttempts()
  /** By task: parts by the index of the first of them. */
  private readonly parts = new Map<string, Map<number, string>>()
  private tail: Promise<unknown> = Promise.resolve()
  private gate: Gate | undefined
  private seq = 0
  private closed = false

  readonly journal: Journal = {
    commit: (facts) => {
      const copy = structuredClone(facts)
      return this.inOrder(() => this.commit(copy))
    },
    find: (owner, task_id) => this.inOrder(() => [this.find(taskKeyOf(owner, task_id))].map((found) => found && recordOf(found))[0]),
    look: (owner, task_id) => this.inOrder(() => [this.find(taskKeyOf(owner, task_id))].map((found) => found && listed(found))[0]),
    list: (filter) => this.inOrder(() => listOf(this.records, filter)),
    unfinished: () => this.unfinished(),
    recorded: ({ owner, task_id }) =>
      this.inOrder(() => [...(this.parts.get(taskKeyOf(owner, task_id)) ?? [])].sort(([a], [b]) => a - b).map(([, parts]) => parts)),
    purge: (tasks_before, artifacts_before) =>
      this.inOrder(() => {
        const old = this.records.filter(({ outcome }) => outcome !== undefined && outcome.finished_at < tasks_before)
        this.forget(old)
        this.documents.forget(({ created_at }) => created_at < artifacts_before)
      }),
  }

  readonly eventLog: EventLog = { read: ({ owner, task_id }) => this.inOrder(() => this.logs.get(taskKeyOf(owner, task_id))) }

  readonly catalog: CatalogStore = { all: () => this.inOrder(() => [...this.models.values()]) }

  readonly sessions: SessionStore = {
    all: () => this.sessionPages(),
    spentByKeys: () => this.inOrder(() => new Map(this.keys)),
  }

  readonly pools: PoolStore = { all: () => this.inOrder(() => [...this.poolRecords.values()]) }

  private readonly documents = new MemoryArtifacts((job) => this.inOrder(job))
  readonly artifacts = this.documents.store

  private readonly rest = new MemoryBatches((job) => this.inOrder(job))
  readonly files = this.rest.files
  readonly batches = this.rest.batches
  readonly usage = this.rest.usage
  readonly space: Space = {
    stored: () =>
      this.inOrder(() => {
        const sums = new Map<string, number>()
        for (const [owner, bytes] of [...this.documents.stored(), ...this.rest.stored()]) sums.set(owner, (sums.get(owner) ?? 0) + bytes)
        return sums
      }),
    free: () => Promise.resolve(this.free),
  }

  /** Two at a time. */
  private async *sessionPages(): AsyncGenerator<readonly Session[]> {
    const all = await this.inOrder(() => [...this.sessionsByKey.values()])
    for (let at = 0; at < all.length; at += 2) yield all.slice(at, at + 2)
  }

  /** From now on nothing becomes durable, and nothing made after it is answered, until `release`. */
  hold(): void {
    this.gate ??= newGate()
    const { promise } = this.gate
    this.tail = this.tail.then(() => promise)
  }

  release(): void {
    this.gate?.resolve()
    this.gate = undefined
  }

  /** Facts in the order they became durable. */
  get durable(): readonly Fact[] {
    return this.commits.flat()
  }

  /** Facts of one kind that became durable. */
  facts<K extends Fact['kind']>(kind: K): Extract<Fact, { kind: K }>[] {
    return this.durable.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind)
  }

  newest(): Promise<number> {
    const tasks = this.records.flatMap(({ task, outcome }) => [task.accepted_at, outcome?.finished_at ?? 0])
    const sessions = [...this.sessionsByKey.values()].map(({ created_at }) => created_at)
    return this.inOrder(() => Math.max(this.documents.newest(), ...tasks, ...sessions))
  }

  readonly lost = new Promise<Error>(() => undefined)

  async close(): Promise<void> {
    await this.tail
    this.closed = true
  }

  private inOrder<T>(job: () => T): Promise<T> {
    const done = this.tail.then(() => {
      if (this.closed) throw new StorageError('the storage is closed')
      return job()
    })
    this.tail = done.catch(() => undefined)
    return done
  }

  private commit(facts: readonly Fact[]): void {
    if (this.broken || this.failing > 0 || facts.some(({ kind }) => kind === this.refuses)) {
      this.failing = Math.max(0, this.failing - 1)
      throw new StorageError('the disk is full')
    }
    const keys = facts.flatMap((fact) => (fact.kind === 'accepted' ? [taskKeyOf(fact.task.owner, fact.task.task_id)] : []))
    const replaced = facts.flatMap((fact) => {
      const old = fact.kind === 'accepted' && fact.anew === true ? this.find(taskKeyOf(fact.task.owner, fact.task.task_id)) : undefined
      return old?.outcome === undefined ? [] : [old]
    })
    const taken = keys.some(
      (key) => !replaced.some(({ task }) => taskKeyOf(task.owner, task.task_id) === key) && this.find(key) !== undefined,
    )
    if (new Set(keys).size < keys.length || taken) throw new DuplicateTaskError('duplicate')
    this.forget(replaced)
    for (const fact of facts)
      if (fact.kind === 'accepted') this.records.push(keep({ seq: ++this.seq, task: fact.task }, this.records.at(-1)))
    for (const fact of facts) this.apply(fact)
    this.commits.push(facts)
  }

  private find(key: string): KeptTask | undefined {
    return this.records.find(({ task }) => taskKeyOf(task.owner, task.task_id) === key)
  }

  private apply(fact: Fact): void {
    if (fact.kind === 'finished') this.finish(fact.key, fact)
    else if (fact.kind === 'attempt' || fact.kind === 'attempt_withdrawn' || fact.kind === 'runs') {
      const found = this.find(taskKeyOf(fact.key.owner, fact.key.task_id))
      if (found !== undefined && found.outcome === undefined) this.attempts.apply(fact)
    } else if (fact.kind === 'parts') this.record(fact)
    else if (fact.kind === 'moved') this.records = this.records.map((kept) => movedBy(fact, kept))
    else if (fact.kind === 'task_forgotten') {
      const { key, artifacts } = fact
      const found = this.find(taskKeyOf(key.owner, key.task_id))
      this.forget(found?.outcome === undefined ? [] : [found])
      this.documents.forget(({ owner, id }) => owner === key.owner && artifacts.includes(id))
    } else if (fact.kind === 'key_spent') applyToKeys(this.keys, fact)
    else if (fact.kind === 'pool_put') this.poolRecords.set(fact.pool.pool_id, fact.pool)
    else if (fact.kind.startsWith('session_')) applyToSessions(this.sessionsByKey, fact)
    else if (fact.kind === 'model_put') this.models.set(fact.model.request.id, fact.model)
    else if (fact.kind === 'model_deleted') this.models.delete(fact.id)
    else if (fact.kind === 'artifact') this.documents.add(++this.seq, fact.artifact)
    else this.rest.apply(fact)
  }

  private forget(old: readonly KeptTask[]): void {
    for (const { task } of old) {
      this.logs.delete(taskKeyOf(task.owner, task.task_id))
      this.attempts.forget(task)
    }
    this.records = this.records.filter((record) => !old.includes(record))
  }

  private record({ key, first, parts }: Extract<Fact, { kind: 'parts' }>): void {
    const id = taskKeyOf(key.owner, key.task_id)
    const found = this.find(id)
    if (found === undefined || found.outcome !== undefined) return
    this.parts.set(id, (this.parts.get(id) ?? new Map<number, string>()).set(first, parts))
  }

  /** Two tasks a page, so that a few tasks are several. */
  private async *unfinished(): AsyncGenerator<readonly UnfinishedTask[]> {
    let after = 0
    for (;;) {
      const page = await this.inOrder(() =>
        this.records
          .filter(({ seq, outcome }) => outcome === undefined && seq > after)
          .slice(0, 2)
          .map((kept) => ({ seq: kept.seq, head: headIn(kept), attempts: this.attempts.of(kept.task) })),
      )
      const last = page.at(-1)
      if (last === undefined) return
      after = last.seq
      yield page
    }
  }

  private finish({ owner, task_id }: TaskKey, { outcome, log }: Extract<Fact, { kind: 'finished' }>): void {
    const key = taskKeyOf(owner, task_id)
    const found = this.find(key)
    if (found === undefined || found.outcome !== undefined) return
    this.records = this.records.map((record) => (record === found ? { ...found, outcome } : record))
    this.logs.set(key, log)
    this.parts.delete(key)
  }
}

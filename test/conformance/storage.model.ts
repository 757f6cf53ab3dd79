import type { StoredArtifact } from '../../src/domain/artifact.ts'
import type { Spent } from '../../src/domain/accounts/budget.ts'
import type { CatalogRecord } from '../../src/domain/catalog/catalog.ts'
import type { PoolRecord } from '../../src/domain/pool-record.ts'
import type { Session } from '../../src/domain/accounts/session.ts'
import { headOf, summaryOf, taskKeyOf } from '../../src/domain/task.ts'
import type { StoredLog } from '../../src/domain/stream/task-events.ts'
import type { AcceptedTask, ListedTask, TaskKey, TaskRecord, UnfinishedTask } from '../../src/domain/task.ts'
import type { ArtifactFilter } from '../../src/ports/artifact-store.ts'
import type { Fact, TaskFilter } from '../../src/ports/journal.ts'
import { applyToKeys, applyToSessions } from '../harness/session-facts.ts'

interface ModelTask extends Omit<TaskRecord, 'seq'> {
  readonly pool_id: string
  readonly accepted_at: number
}

interface AttemptModel {
  readonly key: string
  readonly attempt: number
  readonly replayable: boolean
  readonly recorded: true | undefined
  withdrawn: boolean
}

/** What a storage does, written as plainly as possible: arrays and filters, no `seq` (the order in the array is the order). */
export class StorageModel {
  tasks: ModelTask[] = []
  attempts: AttemptModel[] = []
  parts: { readonly key: string; readonly first: number; readonly parts: string }[] = []
  readonly keys = new Map<string, Spent>()
  readonly pools = new Map<string, PoolRecord>()
  artifacts: StoredArtifact[] = []
  readonly logs = new Map<string, StoredLog>()
  readonly sessions = new Map<string, Session>()
  readonly models = new Map<string, CatalogRecord>()

  /** Returns whether the facts were written: false for a duplicate task. */
  commit(facts: readonly Fact[]): boolean {
    const keys = facts.flatMap((fact) => (fact.kind === 'accepted' ? [taskKeyOf(fact.task.owner, fact.task.task_id)] : []))
    const anew = facts.flatMap((fact) => (fact.kind === 'accepted' && fact.anew === true ? [fact.task] : []))
    const replaced = this.tasks.filter(
      ({ task, outcome }) => outcome !== undefined && anew.some(({ owner, task_id }) => task.owner === owner && task.task_id === task_id),
    )
    const kept = this.tasks.filter((record) => !replaced.includes(record))
    if (new Set(keys).size < keys.length || keys.some((key) => kept.some(({ task }) => taskKeyOf(task.owner, task.task_id) === key)))
      return false
    this.forget(replaced)
    for (const fact of facts) if (fact.kind === 'accepted') this.tasks.push(this.newcomer(fact.task))
    for (const fact of facts) this.apply(fact)
    return true
  }

  find(owner: string, task_id: string): Omit<TaskRecord, 'seq'> | undefined {
    const found = this.tasks.find(({ task }) => task.owner === owner && task.task_id === task_id)
    return found === undefined ? undefined : { task: found.task, ...(found.outcome === undefined ? {} : { outcome: found.outcome }) }
  }

  /** A clock that was set back sets no task before those that came earlier. */
  private newcomer(task: AcceptedTask): ModelTask {
    return { task, pool_id: task.pool_id, accepted_at: Math.max(task.accepted_at, this.tasks.at(-1)?.accepted_at ?? 0) }
  }

  log({ owner, task_id }: TaskKey): StoredLog | undefined {
    return this.logs.get(taskKeyOf(owner, task_id))
  }

  /** In order of acceptance. */
  unfinished(): UnfinishedTask[] {
    return this.tasks
      .filter(({ outcome }) => outcome === undefined)
      .map(({ task, pool_id }) => {
        const own = this.attempts.filter(({ key }) => key === taskKeyOf(task.owner, task.task_id)).sort((a, b) => a.attempt - b.attempt)
        const newest = own.at(-1)
        const attempts =
          newest === undefined
            ? undefined
            : {
                failed: own.filter(({ withdrawn }) => !withdrawn).length,
                replayable: newest.replayable,
                ...(newest.recorded === true ? { recorded: true as const } : {}),
              }
        return { head: { ...headOf(task), pool_id }, attempts }
      })
  }

  recorded({ owner, task_id }: TaskKey): string[] {
    const own = this.parts.filter(({ key }) => key === taskKeyOf(owner, task_id))
    return own.sort((a, b) => a.first - b.first).map(({ parts }) => parts)
  }

  list({ owner, session_id, ended, code, pool_id, task_id_prefix, from, to, limit }: TaskFilter): Omit<ListedTask, 'seq'>[] {
    return this.tasks
      .filter(({ task }) => owner === undefined || task.owner === owner)
      .filter(({ task }) => session_id === undefined || task.request.session_id === session_id)
      .filter(({ outcome }) => ended === undefined || (outcome?.state ?? 'unfinished') === ended)
      .filter(({ outcome }) => code === undefined || outcome?.error?.code === code)
      .filter((one) => pool_id === undefined || one.pool_id === pool_id)
      .filter(({ task }) => task_id_prefix === undefined || task.task_id.startsWith(task_id_prefix))
      .filter(({ accepted_at }) => (from === undefined || accepted_at >= from) && (to === undefined || accepted_at < to))
      .reverse()
      .slice(0, limit)
      .map(({ task, outcome, pool_id }) => ({ task: summaryOf(task), pool_id, ...(outcome === undefined ? {} : { outcome }) }))
  }

  listArtifacts({ owner, kind, tag, limit }: ArtifactFilter): StoredArtifact[] {
    return this.artifacts
      .filter((stored) => owner === undefined || stored.owner === owner)
      .filter(({ artifact }) => kind === undefined || artifact.kind === kind)
      .filter(({ artifact }) => tag === undefined || artifact.tags.includes(tag))
      .reverse()
      .slice(0, limit)
  }

  purge(tasks_before: number, artifacts_before: number): void {
    this.forget(this.tasks.filter(({ outcome }) => outcome !== undefined && outcome.finished_at < tasks_before))
    this.artifacts = this.artifacts.filter(({ created_at }) => created_at >= artifacts_before)
  }

  private forget(old: readonly ModelTask[]): void {
    for (const { task } of old) this.logs.delete(taskKeyOf(task.owner, task.task_id))
    this.tasks = this.tasks.filter((record) => !old.includes(record))
    this.attempts = this.attempts.filter(({ key }) => !old.some(({ task }) => taskKeyOf(task.owner, task.task_id) === key))
  }

  private apply(fact: Fact): void {
    switch (fact.kind) {
      case 'accepted':
      // What has its own plain cases in the suites of the stores and of the runs.
      case 'runs':
      case 'usage':
      case 'file_put':
      case 'file_part':
      case 'file_deleted':
      case 'batch_put':
        return
      case 'parts': {
        const { key: of, first, parts } = fact
        const key = taskKeyOf(of.owner, of.task_id)
        const found = this.find(of.owner, of.task_id)
        if (found === undefined || found.outcome !== undefined) return
        this.parts = [...this.parts.filter((one) => one.key !== key || one.first !== first), { key, first, parts }]
        return
      }
      case 'attempt': {
        const { key: of, attempt, replayable, recorded } = fact
        const key = taskKeyOf(of.owner, of.task_id)
        const found = this.find(of.owner, of.task_id)
        if (found === undefined || found.outcome !== undefined) return
        this.attempts = [
          ...this.attempts.filter((one) => one.key !== key || one.attempt !== attempt),
          { key, attempt, replayable, recorded, withdrawn: false },
        ]
        return
      }
      case 'attempt_withdrawn': {
        const key = taskKeyOf(fact.key.owner, fact.key.task_id)
        for (const one of this.attempts) if (one.key === key && one.attempt === fact.attempt) one.withdrawn = true
        return
      }
      case 'task_forgotten': {
        const { key, artifacts } = fact
        this.forget(
          this.tasks.filter(({ task, outcome }) => outcome !== undefined && task.owner === key.owner && task.task_id === key.task_id),
        )
        this.artifacts = this.artifacts.filter(({ owner, id }) => owner !== key.owner || !artifacts.includes(id))
        return
      }
      case 'moved': {
        const { key, pool_id } = fact
        this.tasks = this.tasks.map((one) =>
          one.outcome === undefined && one.task.owner === key.owner && one.task.task_id === key.task_id ? { ...one, pool_id } : one,
        )
        return
      }
      case 'key_spent':
        applyToKeys(this.keys, fact)
        return
      case 'pool_put':
        this.pools.set(fact.pool.pool_id, fact.pool)
        return
      case 'finished': {
        const at = this.tasks.findIndex(({ task }) => task.owner === fact.key.owner && task.task_id === fact.key.task_id)
        const found = this.tasks[at]
        if (found === undefined || found.outcome !== undefined) return
        this.tasks[at] = { ...found, outcome: fact.outcome }
        this.parts = this.parts.filter(({ key }) => key !== taskKeyOf(fact.key.owner, fact.key.task_id))
        this.logs.set(taskKeyOf(fact.key.owner, fact.key.task_id), fact.log)
        return
      }
      case 'session_put':
      case 'session_renewed':
      case 'session_spent':
      case 'session_deleted':
        applyToSessions(this.sessions, fact)
        return
      case 'model_put':
        this.models.set(fact.model.request.id, fact.model)
        return
      case 'model_deleted':
        this.models.delete(fact.id)
        return
      case 'artifact': {
        const { owner, id } = fact.artifact
        if (!this.artifacts.some((stored) => stored.owner === owner && stored.id === id)) this.artifacts.push(fact.artifact)
      }
    }
  }
}

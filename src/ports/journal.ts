import type { StoredArtifact } from '../domain/artifact.ts'
import type { BatchRecord } from '../domain/batches/batch.ts'
import type { FilePart, FileRecord } from '../domain/batches/file.ts'
import type { CatalogRecord } from '../domain/catalog/catalog.ts'
import { DomainError } from '../domain/errors.ts'
import type { Spent } from '../domain/accounts/budget.ts'
import type { PoolRecord } from '../domain/pool-record.ts'
import type { Session } from '../domain/accounts/session.ts'
import type { Run } from '../domain/runs.ts'
import type { StoredLog } from '../domain/stream/task-events.ts'
import type { AcceptedTask, ErrorCode, ListedTask, TaskKey, TaskOutcome, TaskRecord, UnfinishedTask } from '../domain/task.ts'
import type { Usage } from '../domain/usage.ts'

/** Something that happened. Facts are appended, never changed. */
export type Fact =
  /** @param anew it takes the place of the owner's task of that id, which has ended */
  | { readonly kind: 'accepted'; readonly task: AcceptedTask; readonly anew?: true }
  /** Run number `attempt` of a task begins. @see Attempts */
  | {
      readonly kind: 'attempt'
      readonly key: TaskKey
      readonly attempt: number
      readonly replica_id: string
      /** Its engine gives the same text again, and has given all there is. */
      readonly replayable: boolean
      /** What it gives is in the journal before it goes out, as is what went out before. */
      readonly recorded?: true
      readonly at: number
      /** What is kept of its runs, this one included. */
      readonly runs?: readonly Run[]
    }
  /** More is known of the runs of a task that has not ended. @param attempt the newest of them */
  | { readonly kind: 'runs'; readonly key: TaskKey; readonly attempt: number; readonly runs: readonly Run[] }
  /** An orderly stop cut that run off: it does not count against the task. */
  | { readonly kind: 'attempt_withdrawn'; readonly key: TaskKey; readonly attempt: number }
  /**
   * Parts of a task that has not ended: `first` is the index of the first of them, `parts` a line as PartLog has it, or empty where more goes out
   * than the journal keeps. Forgotten when the task ends.
   */
  | { readonly kind: 'parts'; readonly key: TaskKey; readonly first: number; readonly parts: string }
  /** A task that has not ended is in another pool: it is looked for there after a restart. */
  | { readonly kind: 'moved'; readonly key: TaskKey; readonly pool_id: string }
  | { readonly kind: 'finished'; readonly key: TaskKey; readonly outcome: TaskOutcome; readonly log: StoredLog }
  /** A task that has ended, its events and these artifacts of its owner are not kept any longer. */
  | { readonly kind: 'task_forgotten'; readonly key: TaskKey; readonly artifacts: readonly string[] }
  /** A session begins, in the place of an older one of that id; where it, or a newer one, is there already, nothing happens. */
  | { readonly kind: 'session_put'; readonly session: Session }
  /** It has a new life and new budgets, of which nothing is spent; its turns stay. */
  | ({ readonly kind: 'session_renewed' } & Pick<Session, 'owner' | 'session_id' | 'created_at' | 'expires_at' | 'budgets'>)
  /** More turns were taken of it and more was spent; it lives on if this is a newer life. Nothing happens where it is not there. */
  | ({ readonly kind: 'session_spent'; readonly more: Spent } & Pick<
      Session,
      'owner' | 'session_id' | 'created_at' | 'expires_at' | 'turns'
    >)
  | { readonly kind: 'session_deleted'; readonly owner: string; readonly session_id: string }
  | { readonly kind: 'artifact'; readonly artifact: StoredArtifact }
  | { readonly kind: 'model_put'; readonly model: CatalogRecord }
  | { readonly kind: 'model_deleted'; readonly id: string }
  /** More was spent: what is kept is the sum. */
  | { readonly kind: 'key_spent'; readonly owner: string; readonly more: Spent }
  | { readonly kind: 'pool_put'; readonly pool: PoolRecord }
  /** More was used: what is kept is the sum. */
  | { readonly kind: 'usage'; readonly more: Usage }
  | { readonly kind: 'file_put'; readonly file: FileRecord }
  | { readonly kind: 'file_part'; readonly part: FilePart }
  /** Its parts have been deleted before. */
  | { readonly kind: 'file_deleted'; readonly owner: string; readonly file_id: string }
  | { readonly kind: 'batch_put'; readonly batch: BatchRecord }

/** Which tasks to list, newest first. */
export interface TaskFilter {
  /** Only this owner's; everybody's if left out. */
  readonly owner?: string
  readonly session_id?: string
  /** Only tasks that ended in this state, or that have not ended. */
  readonly ended?: TaskOutcome['state'] | 'unfinished'
  /** Only tasks that ended with this error. */
  readonly code?: ErrorCode
  /** Only tasks that are in this pool, or were when they ended. */
  readonly pool_id?: string
  /** Only tasks whose id begins with this. */
  readonly task_id_prefix?: string
  /**
   * Only tasks accepted from then on, and before then, ms since the epoch. Where the clock was set back, a task counts as accepted no earlier than
   * those before it.
   */
  readonly from?: number
  readonly to?: number
  /** Only these of the unfinished ones: of all other filters only `from`, `to` and `before_seq` matter then. */
  readonly among?: readonly TaskKey[]
  /** Only tasks with a smaller `seq`. */
  readonly before_seq?: number
  readonly limit: number
}

/** Tasks of a list, newest first. */
export interface TaskSlice {
  readonly tasks: readonly ListedTask[]
  /** As many were looked at as a slice may, the last of them with this `seq`: there may be more before it. */
  readonly looked_to?: number
}

/** An `accepted` fact named a task that its owner already has, and that has not ended where it is taken anew; nothing of its commit was written. */
export class DuplicateTaskError extends Error {
  override readonly name = 'DuplicateTaskError'
}

/** The facts could not be made durable (disk full, I/O error, closed); nothing of the commit was written. `cause` says why. */
export class StorageError extends DomainError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super('pool_unavailable', 'Nothing can be made durable right now; try again later.', {
      retry_after_ms: 1000,
      cause: new Error(message, options),
    })
  }
}

/**
 * The one way to write. A commit is one transaction: all of its facts or none, durable when the promise resolves.
 * Commits become durable in the order they were made.
 */
export interface Journal {
  /**
   * A second `finished` for a task is ignored: the first stands.
   * @throws DuplicateTaskError the task exists
   * @throws StorageError nothing was written
   */
  commit(facts: readonly Fact[]): Promise<void>
  /** The task of this owner, its whole request included. */
  find(owner: string, task_id: string): Promise<TaskRecord | undefined>
  /** What is shown of the task of this owner. */
  look(owner: string, task_id: string): Promise<ListedTask | undefined>
  /** Looks at a limited number of tasks, however many there are, and reads those that it shows; `limit` of them if there are as many. */
  list(filter: TaskFilter): Promise<TaskSlice>
  /**
   * Accepted and without an outcome, in order of acceptance, a page at a time. A page shows every commit made before it
   * was asked for; the next one may have been asked for when a page is handed out.
   * @throws StorageError
   */
  unfinished(): AsyncIterable<readonly UnfinishedTask[]>
  /** The `parts` of a task that has not ended, in order. */
  recorded(key: TaskKey): Promise<readonly string[]>
  /** Forgets tasks that finished before `tasks_before` and artifacts created before `artifacts_before` (ms since the epoch). */
  purge(tasks_before: number, artifacts_before: number): Promise<void>
}

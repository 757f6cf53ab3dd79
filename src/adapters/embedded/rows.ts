import type { StoredArtifact } from '../../domain/artifact.ts'
import type { Spent } from '../../domain/accounts/budget.ts'
import { isOver, type BatchRecord } from '../../domain/batches/batch.ts'
import type { FileRecord } from '../../domain/batches/file.ts'
import type { CatalogRecord } from '../../domain/catalog/catalog.ts'
import type { PoolRecord } from '../../domain/pool-record.ts'
import type { Session } from '../../domain/accounts/session.ts'
import type { StoredLog } from '../../domain/stream/task-events.ts'
import { summaryOf, type AcceptedTask, type ListedTask, type TaskOutcome, type TaskRecord, type TaskSummary } from '../../domain/task.ts'
import type { Usage } from '../../domain/usage.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Param, Row } from './protocol.ts'
import { S } from './statements.ts'
import { headText } from './unfinished-page.ts'

/**
 * Appends what a commit's facts do to the database: `[statement, ...params]` for each step.
 * Acceptances come first, so that a duplicate shows before anything of its commit has been written.
 * @throws TypeError where a fact cannot be written as JSON
 */
export function appendFacts(ops: Param[], facts: readonly Fact[]): void {
  for (const fact of facts) {
    if (fact.kind !== 'accepted') continue
    const { task, anew } = fact
    if (anew === true) ops.push(S.taskForgotten, task.task_id, task.owner)
    const { owner, task_id, pool_id, accepted_at, request } = task
    ops.push(S.accepted, owner, task_id, request.session_id, JSON.stringify(summaryOf(task)), headText(task), pool_id, accepted_at)
    ops.push(S.request, JSON.stringify(task))
  }
  for (const fact of facts) appendOther(ops, fact)
}

function appendOther(ops: Param[], fact: Fact): void {
  switch (fact.kind) {
    case 'accepted':
      return
    case 'attempt':
      ops.push(S.attempt, fact.attempt, fact.replica_id, fact.at, fact.replayable ? 1 : 0, fact.recorded === true ? 1 : 0)
      ops.push(JSON.stringify(fact.runs ?? []), fact.key.task_id, fact.key.owner)
      return
    case 'runs':
      ops.push(S.runs, JSON.stringify(fact.runs), fact.attempt, fact.key.task_id, fact.key.owner)
      return
    case 'parts':
      ops.push(S.parts, fact.first, fact.parts, fact.key.task_id, fact.key.owner)
      return
    case 'attempt_withdrawn':
      ops.push(S.attemptWithdrawn, fact.attempt, fact.key.task_id, fact.key.owner)
      return
    case 'finished': {
      const { key, outcome, log } = fact
      const { state, finished_at, error } = outcome
      ops.push(S.finished, state, error?.code ?? null, finished_at, JSON.stringify(outcome), key.task_id, key.owner)
      ops.push(S.log, log.started, log.parts, log.metrics, log.terminal, key.task_id, key.owner)
      ops.push(S.partsForgotten, key.task_id, key.owner)
      return
    }
    case 'moved':
      ops.push(S.moved, fact.pool_id, fact.pool_id, fact.key.task_id, fact.key.owner)
      return
    case 'task_forgotten':
      ops.push(S.taskForgotten, fact.key.task_id, fact.key.owner)
      for (const id of fact.artifacts) ops.push(S.artifactForgotten, id, fact.key.owner)
      return
    case 'session_put': {
      const { session } = fact
      ops.push(
        S.sessionPut,
        session.owner,
        session.session_id,
        session.created_at,
        session.expires_at,
        session.turns,
        JSON.stringify(session.budgets),
        JSON.stringify(session.spent),
      )
      return
    }
    case 'session_renewed': {
      const { owner, session_id, created_at, expires_at, budgets } = fact
      ops.push(S.sessionRenewed, created_at, expires_at, JSON.stringify(budgets), owner, session_id)
      return
    }
    case 'session_spent': {
      const { owner, session_id, created_at, expires_at, turns, more } = fact
      ops.push(S.sessionSpent, turns, ...spentParams(more), created_at, expires_at, created_at, owner, session_id)
      return
    }
    case 'session_deleted':
      ops.push(S.sessionDeleted, fact.owner, fact.session_id)
      return
    case 'model_put':
      ops.push(S.modelPut, fact.model.request.id, JSON.stringify(fact.model))
      return
    case 'model_deleted':
      ops.push(S.modelDeleted, fact.id)
      return
    case 'key_spent':
      ops.push(S.keySpent, fact.owner, ...spentParams(fact.more))
      return
    case 'pool_put':
      ops.push(S.poolPut, fact.pool.pool_id, JSON.stringify(fact.pool))
      return
    case 'usage':
      ops.push(S.usageAdd, ...usageParams(fact.more))
      return
    case 'file_put': {
      const { file } = fact
      ops.push(S.filePut, file.owner, file.file_id, file.state === 'complete' ? 1 : 0, file.purpose, JSON.stringify(file))
      return
    }
    case 'file_part': {
      const { owner, file_id, part, text } = fact.part
      ops.push(S.filePart, owner, file_id, part, text)
      return
    }
    case 'file_deleted':
      ops.push(S.fileDeleted, fact.owner, fact.file_id)
      return
    case 'batch_put': {
      const { batch } = fact
      ops.push(S.batchPut, batch.owner, batch.batch_id, isOver(batch) ? 1 : 0, JSON.stringify(batch))
      return
    }
    case 'artifact': {
      const { owner, id, artifact, created_at, size_bytes } = fact.artifact
      const { content, ...head } = artifact
      ops.push(S.artifact, owner, id, artifact.kind, created_at, size_bytes, JSON.stringify(head), content)
      // Each once: SQLite would set up a table for DISTINCT, which costs a third of the statement.
      if (head.tags.length > 0) ops.push(S.artifactTags, owner, JSON.stringify([...new Set(head.tags)]))
    }
  }
}

/** A row of `seq, accepted, outcome`. */
export function taskRecord([seq, accepted, outcome]: Row): TaskRecord {
  const record = { seq: Number(seq), task: JSON.parse(String(accepted)) as AcceptedTask }
  return outcome == null ? record : { ...record, outcome: JSON.parse(String(outcome)) as TaskOutcome }
}

/** A row of `seq, shown, outcome, pool_id`. */
export function listedTask([seq, shown, outcome, pool_id]: Row): ListedTask {
  const listed = { seq: Number(seq), task: JSON.parse(String(shown)) as TaskSummary, pool_id: String(pool_id) }
  return outcome == null ? listed : { ...listed, outcome: JSON.parse(String(outcome)) as TaskOutcome }
}

/** A row of `started, parts, metrics, terminal`. */
export function storedLog([started, parts, metrics, terminal]: Row): StoredLog {
  return { started: String(started), parts: String(parts), metrics: String(metrics), terminal: String(terminal) }
}

/** Most of many rows say the same: what the row before said is not parsed again. Nobody may change it. */
function parsedOnce(): (text: string) => unknown {
  let last: { readonly text: string; readonly value: unknown } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, value: JSON.parse(text) }
    return last.value
  }
}

const parsedBudgets = parsedOnce()
const parsedSpent = parsedOnce()

/** A row of `owner, session_id, created_at, expires_at, turns, budgets, spent`. */
export function session([owner, session_id, created_at, expires_at, turns, budgets, spent]: Row): Session {
  return {
    owner: String(owner),
    session_id: String(session_id),
    created_at: Number(created_at),
    expires_at: Number(expires_at),
    turns: Number(turns),
    budgets: parsedBudgets(String(budgets)) as Session['budgets'],
    spent: parsedSpent(String(spent)) as Session['spent'],
  }
}

/** A row of `model`. */
export const catalogRecord = ([model]: Row): CatalogRecord => JSON.parse(String(model)) as CatalogRecord

/** A row of `owner, spent`. */
export const keySpent = ([owner, spent]: Row): readonly [owner: string, spent: Spent] => [String(owner), JSON.parse(String(spent)) as Spent]

/** A row of `pool`. */
export const poolRecord = ([pool]: Row): PoolRecord => JSON.parse(String(pool)) as PoolRecord

/** A row of `owner, id, created_at, size_bytes, seq, head` and, unless it is from a list, `content`. */
export function listedArtifact([owner, id, created_at, size_bytes, seq, head, content]: Row): StoredArtifact & { readonly seq: number } {
  const rest = JSON.parse(String(head)) as Omit<StoredArtifact['artifact'], 'content'>
  return {
    owner: String(owner),
    id: String(id),
    artifact: { ...rest, content: content === undefined ? '' : String(content) },
    created_at: Number(created_at),
    size_bytes: Number(size_bytes),
    seq: Number(seq),
  }
}

/** The same without `seq`. */
export function storedArtifact(row: Row): StoredArtifact {
  const { owner, id, artifact, created_at, size_bytes } = listedArtifact(row)
  return { owner, id, artifact, created_at, size_bytes }
}

/** A row of `record` of a file. */
export const fileRecord = ([record]: Row): FileRecord => JSON.parse(String(record)) as FileRecord

/** A row of `record` of a batch. */
export const batchRecord = ([record]: Row): BatchRecord => JSON.parse(String(record)) as BatchRecord

const spentParams = ({ tokens, cost_nano, time_ms }: Spent): Param[] => [tokens, cost_nano, time_ms]

function usageParams({ owner, model_ref, day, ...sums }: Usage): Param[] {
  const { tasks, tokens_in, tokens_in_cached, tokens_out, cost_nano, refusals } = sums
  return [owner, model_ref, day, tasks, tokens_in, tokens_in_cached, tokens_out, cost_nano, refusals]
}

/** A row of `seq, owner, model_ref, day` and the sums. */
export function usage([seq, owner, model_ref, day, ...sums]: Row): Usage & { readonly seq: number } {
  const [tasks = 0, tokens_in = 0, tokens_in_cached = 0, tokens_out = 0, cost_nano = 0, refusals = 0] = sums.map(Number)
  const key = { owner: String(owner), model_ref: String(model_ref), day: String(day) }
  return { seq: Number(seq), ...key, tasks, tokens_in, tokens_in_cached, tokens_out, cost_nano, refusals }
}

import type { AcceptedTask, Attempts, Priority, UnfinishedTask, Workload } from '../../domain/task.ts'
import type { Row } from './protocol.ts'

/** In the order of migration 3. */
type Head = readonly [
  owner: string,
  task_id: string,
  session_id: string,
  model_ref: string,
  workload: Workload,
  priority: Priority,
  max_tokens: number,
  expected_tokens: number | null,
  deadline_ms: number,
  prompt_tokens: number,
  pool_id: string,
  accepted_at: number,
]

/** What the column `head` holds of a task that has not ended. */
export function headText({ owner, task_id, request, prompt_tokens, pool_id, accepted_at }: AcceptedTask): string {
  const { session_id, model_ref, workload, priority, max_tokens, expected_tokens = null, deadline_ms } = request
  const head: Head = [owner, task_id, session_id, model_ref, workload, priority, max_tokens, expected_tokens, deadline_ms, prompt_tokens, pool_id, accepted_at]
  return JSON.stringify(head)
}

/**
 * A row of `seq, accepted, head, failed attempts, replayable, newest attempt`. Most of a task is its prompt, which nobody needs before the
 * task is dispatched: until then it stays the text it was stored as.
 */
export class UnfinishedRow implements UnfinishedTask {
  readonly seq: number
  readonly owner: string
  readonly task_id: string
  readonly session_id: string
  readonly model_ref: string
  readonly workload: Workload
  readonly priority: Priority
  readonly max_tokens: number
  readonly expected_tokens: number | undefined
  readonly deadline_ms: number
  readonly prompt_tokens: number
  readonly pool_id: string
  readonly accepted_at: number
  readonly attempts: Attempts | undefined
  private accepted: string | AcceptedTask

  constructor([seq, , head, failed, replayable]: Row, accepted: string) {
    const fields = JSON.parse(String(head)) as Head
    this.seq = Number(seq)
    this.owner = fields[0]
    this.task_id = fields[1]
    this.session_id = fields[2]
    this.model_ref = fields[3]
    this.workload = fields[4]
    this.priority = fields[5]
    this.max_tokens = fields[6]
    this.expected_tokens = fields[7] ?? undefined
    this.deadline_ms = fields[8]
    this.prompt_tokens = fields[9]
    this.pool_id = fields[10]
    this.accepted_at = fields[11]
    this.attempts = replayable === null ? undefined : { failed: Number(failed), replayable: replayable === 1 }
    this.accepted = accepted
  }

  get task(): AcceptedTask {
    if (typeof this.accepted === 'string') this.accepted = JSON.parse(this.accepted) as AcceptedTask
    return this.accepted
  }
}

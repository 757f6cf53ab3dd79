import type { Run } from '../../domain/runs.ts'
import type { AcceptedTask, Attempts, Priority, TaskHead, TaskSource, UnfinishedTask, Workload } from '../../domain/task.ts'
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
  const head: Head = [
    owner,
    task_id,
    session_id,
    model_ref,
    workload,
    priority,
    max_tokens,
    expected_tokens,
    deadline_ms,
    prompt_tokens,
    pool_id,
    accepted_at,
  ]
  return JSON.stringify(head)
}

type Runs = readonly [failed: number, replayable: 0 | 1, newest: number, recorded: 0 | 1, runs: readonly Run[]] | null

/**
 * Tasks of a row of the statement `unfinished`.
 * @param accepted reads the JSON of a task that is not in the row; undefined where it is gone
 */
export async function unfinishedTasks(
  [, heads, runs, lines]: Row,
  accepted: (seq: number) => Promise<string | undefined>,
): Promise<UnfinishedTask[]> {
  const attempts = JSON.parse(String(runs)) as readonly Runs[]
  const texts = String(lines).split('\n')
  const tasks: UnfinishedTask[] = []
  let index = 0
  for (const head of JSON.parse(String(heads)) as readonly Head[]) {
    const line = texts[index] ?? ''
    const run = attempts[index++] ?? undefined
    const text = line.startsWith('{') ? line : await accepted(Number(line))
    if (text !== undefined) tasks.push({ head: new StoredTask(head, text), attempts: run && attemptsFrom(run) })
  }
  return tasks
}

const attemptsFrom = ([failed, replayable, , recorded, runs]: NonNullable<Runs>): Attempts => ({
  failed,
  replayable: replayable === 1,
  ...(recorded === 1 ? { recorded: true } : {}),
  ...(runs.length === 0 ? {} : { runs }),
})

/**
 * Most of a task is its prompt, which nobody needs before the task is dispatched: until then it stays the text it was stored as, a part of its
 * page's text, which lives as long as any of its tasks waits. A long queue is made of these: head and source are one object.
 */
class StoredTask implements TaskHead, TaskSource {
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
  // Not to be seen: a head is what its type says.
  #accepted: string | AcceptedTask

  // By index and not by a pattern, which would go through an iterator a hundred thousand times.
  constructor(head: Head, accepted: string) {
    this.owner = head[0]
    this.task_id = head[1]
    this.session_id = head[2]
    this.model_ref = head[3]
    this.workload = head[4]
    this.priority = head[5]
    this.max_tokens = head[6]
    this.expected_tokens = head[7] ?? undefined
    this.deadline_ms = head[8]
    this.prompt_tokens = head[9]
    this.pool_id = head[10]
    this.accepted_at = head[11]
    this.#accepted = accepted
  }

  get source(): TaskSource {
    return this
  }

  get task(): AcceptedTask {
    if (typeof this.#accepted === 'string') this.#accepted = JSON.parse(this.#accepted) as AcceptedTask
    return this.#accepted
  }
}

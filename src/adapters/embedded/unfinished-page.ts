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
  const head: Head = [owner, task_id, session_id, model_ref, workload, priority, max_tokens, expected_tokens, deadline_ms, prompt_tokens, pool_id, accepted_at]
  return JSON.stringify(head)
}

/** Unfinished tasks on their way between threads. A few large strings cost both heaps far less than some strings for each task. */
export interface UnfinishedPage {
  /** `seq` of the last task; undefined where there are none. */
  readonly last: number | undefined
  /** The heads as one JSON array. */
  readonly heads: string
  /** The tasks' JSON back to back, and where each one ends. */
  readonly texts: string
  readonly ends: readonly number[]
  /** By place in the page; most tasks have none. */
  readonly attempts: ReadonlyMap<number, Attempts>
}

/** Packs rows of `seq, accepted, head, failed attempts, replayable, newest attempt`. */
export function packPage(rows: readonly Row[]): UnfinishedPage {
  const heads: string[] = []
  const texts: string[] = []
  const ends: number[] = []
  const attempts = new Map<number, Attempts>()
  let end = 0
  for (const [index, [, accepted, head, failed, replayable]] of rows.entries()) {
    const text = String(accepted)
    end += text.length
    texts.push(text)
    ends.push(end)
    heads.push(String(head))
    if (replayable !== null) attempts.set(index, { failed: Number(failed), replayable: replayable === 1 })
  }
  const last = rows.at(-1)?.[0]
  return { last: last === undefined ? undefined : Number(last), heads: `[${heads.join(',')}]`, texts: texts.join(''), ends, attempts }
}

export function unpackPage({ heads, texts, ends, attempts }: UnfinishedPage): UnfinishedTask[] {
  let start = 0
  return (JSON.parse(heads) as readonly Head[]).map((head, index) => {
    const end = ends[index] ?? start
    const source = new StoredTask(texts.slice(start, end))
    start = end
    return { head: headFrom(head, source), attempts: attempts.get(index) }
  })
}

// By index and not by a pattern, which would go through an iterator a hundred thousand times.
const headFrom = (head: Head, source: TaskSource): TaskHead => ({
  owner: head[0],
  task_id: head[1],
  session_id: head[2],
  model_ref: head[3],
  workload: head[4],
  priority: head[5],
  max_tokens: head[6],
  expected_tokens: head[7] ?? undefined,
  deadline_ms: head[8],
  prompt_tokens: head[9],
  pool_id: head[10],
  accepted_at: head[11],
  source,
})

/** Most of a task is its prompt, which nobody needs before the task is dispatched: until then it stays the text it was stored as. */
class StoredTask implements TaskSource {
  private accepted: string | AcceptedTask

  constructor(accepted: string) {
    this.accepted = accepted
  }

  get task(): AcceptedTask {
    if (typeof this.accepted === 'string') this.accepted = JSON.parse(this.accepted) as AcceptedTask
    return this.accepted
  }
}

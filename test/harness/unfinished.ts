import type { UnfinishedTask } from '../../src/domain/task.ts'
import type { Journal } from '../../src/ports/journal.ts'

/** All pages of unfinished tasks as plain objects, read as far as they can be. */
export async function unfinishedOf(journal: Pick<Journal, 'unfinished'>): Promise<UnfinishedTask[]> {
  const all: UnfinishedTask[] = []
  for await (const page of journal.unfinished()) all.push(...page.map(plain))
  return all
}

function plain(one: UnfinishedTask): UnfinishedTask {
  const { seq, attempts, task, owner, task_id, session_id, model_ref, workload, priority, max_tokens, expected_tokens, deadline_ms, prompt_tokens, pool_id, accepted_at } = one
  return { seq, attempts, task, owner, task_id, session_id, model_ref, workload, priority, max_tokens, expected_tokens, deadline_ms, prompt_tokens, pool_id, accepted_at }
}

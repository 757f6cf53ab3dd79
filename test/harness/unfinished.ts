import type { UnfinishedTask } from '../../src/domain/task.ts'
import type { Journal } from '../../src/ports/journal.ts'

/** All pages of unfinished tasks, in plain objects. */
export async function unfinishedOf(journal: Pick<Journal, 'unfinished'>): Promise<UnfinishedTask[]> {
  const all: UnfinishedTask[] = []
  for await (const page of journal.unfinished())
    all.push(...page.map(({ head, attempts }) => ({ head: { ...head, source: { task: head.source.task } }, attempts })))
  return all
}

import type { TaskRequest } from '../../domain/task.ts'

const efforts = ['none', 'minimal', 'low', 'medium', 'high'] as const

/** How much a model is to think, as clients say it. What is more than we know is the most we know. */
export function effortOf(effort: string | null | undefined): TaskRequest['reasoning_effort'] {
  if (effort === null || effort === undefined) return undefined
  return efforts.find((known) => known === effort) ?? 'high'
}

let made = 0

/** Tasks that have been made. */
export const tasksMade = (): number => made

/** The next task of a watched daemon, as a request's body. @param pools how many pools it has */
export function bodyOf(pools: number): string {
  const n = ++made
  const task = { task_id: `task-${n}-0b8b4f0e-58d1-4f0c`, session_id: `session-${n}`, prompt: 'Tell me a story.', max_tokens: 4096 }
  return JSON.stringify({
    ...task,
    model_ref: `mock:m${n % pools}`,
    priority: n % 4 === 0 ? 'batch' : 'interactive',
    deadline_ms: 86_400_000,
  })
}

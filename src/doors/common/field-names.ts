import type { DomainError } from '../../domain/errors.ts'

/** What fields of a task are called at a door: what to look for in a field's path, and what stands there instead. */
export type FieldNames = readonly (readonly [task: RegExp, door: string])[]

/** What comes in a header at every door. */
const headerOf: Readonly<Record<string, string>> = {
  priority: 'X-Orchd-Priority',
  deadline_ms: 'X-Orchd-Deadline-Ms',
  session_id: 'X-Orchd-Session',
}

/** What a failure says, its field named as in the request that a door took: services know the names of tasks only. */
export function messageIn(names: FieldNames, { message }: Pick<DomainError, 'message'>): string {
  const path = /^body\.([^\s:]+)/.exec(message)?.[1]
  if (path === undefined) return message
  const rest = message.slice(`body.${path}`.length)
  const header = headerOf[path]
  if (header !== undefined) return `header.${header}${rest}`
  const [task = '', door = ''] = names.find(([task]) => task.test(path)) ?? []
  return `body.${path.replace(task, door)}${rest}`
}

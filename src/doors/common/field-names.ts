import type { DomainError } from '../../domain/errors.ts'

/** What fields of a task are called at a door: what to look for at the beginning of a field's path, and what stands there instead. */
export type FieldNames = readonly (readonly [task: RegExp, door: string])[]

/** What a failure says, its field named as in the request that a door took: services know the names of tasks only. */
export function messageIn(names: FieldNames, { message }: Pick<DomainError, 'message'>): string {
  const path = /^body\.([^\s:]+)/.exec(message)?.[1]
  const [task, door] = names.find(([task]) => path !== undefined && task.test(path)) ?? []
  if (path === undefined || task === undefined || door === undefined) return message
  return `body.${path.replace(task, door)}${message.slice(`body.${path}`.length)}`
}

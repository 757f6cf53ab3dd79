import { DomainError } from '../../domain/errors.ts'
import type { TaskRequest } from '../../domain/task.ts'

type Headers = Readonly<Record<string, string | undefined>>

/** Headers by which clients name a conversation, ours first. */
const sessionHeaders = ['x-orchd-session', 'x-claude-code-session-id', 'session-id', 'session_id', 'x-session-id'] as const

/** The session that a request belongs to, as an id may be; undefined where it names none. @param body_key what its body calls it */
export function sessionIdOf(headers: Headers, body_key?: string | null): string | undefined {
  const named = sessionHeaders.flatMap((name) => headers[name] ?? []).find((value) => value !== '') ?? body_key ?? ''
  const id = named.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return id === '' ? undefined : id.slice(0, 128)
}

/**
 * What a request says in headers that the API has no field for.
 * @throws DomainError invalid_params naming the header
 */
export function orchdFields(headers: Headers): Pick<TaskRequest, 'priority' | 'deadline_ms'> {
  const { 'x-orchd-priority': priority, 'x-orchd-deadline-ms': deadline } = headers
  if (priority !== undefined && priority !== 'interactive' && priority !== 'batch')
    throw new DomainError('invalid_params', 'header.X-Orchd-Priority: must be interactive or batch')
  if (deadline !== undefined && !/^[1-9][0-9]{0,7}$/.test(deadline))
    throw new DomainError('invalid_params', 'header.X-Orchd-Deadline-Ms: must be a number of milliseconds, at most 86400000')
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(deadline === undefined ? {} : { deadline_ms: Math.min(86_400_000, Number(deadline)) }),
  }
}

/** The task goes on when its reader goes. */
export const isDetached = (headers: Headers): boolean => headers['x-orchd-detach'] === 'true'

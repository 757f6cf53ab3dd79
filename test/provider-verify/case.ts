import type { components } from '../../generated/api.ts'
import type { operations } from '../../generated/operations.ts'
import type { OperationId } from '../harness/contract.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import { artifact, localModel, type World } from './world.ts'
import { type WorldName } from './worlds.ts'

type Schemas = components['schemas']

/** A request of an operation; what is left out is as it should be. */
export interface Ask {
  /** `nobody`, or the digest of nothing, if left out. */
  readonly id?: string
  /** `null` sends none. */
  readonly key?: string | null
  readonly bearer?: boolean
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: Readonly<Record<string, unknown>> | string
}

/** One answer to one request. */
export interface Case {
  readonly op: OperationId
  readonly status: number
  readonly what: string
  /** Of an error; what its status usually has if left out. */
  readonly code?: Schemas['ErrorCode']
  /** What an error's message, or the body of another answer, has to name. */
  readonly names?: RegExp
  /** The policy that refused it; none may be named if left out. */
  readonly policy?: Schemas['ErrorEnvelope']['policy_label']
  /** The stream's last frame: the code of its `error`, or `end`. */
  readonly ends?: Schemas['ErrorCode'] | 'end'
  /** Headers that come here though they may be missing elsewhere, and what they say. */
  readonly headers?: Readonly<Record<string, RegExp>>
  /** `plain` if left out. */
  readonly world?: WorldName
  readonly ask?: Ask | ((world: World) => Ask | Promise<Ask>)
}

interface CaseOf<Op extends OperationId> extends Omit<Case, 'op'> {
  readonly status: (typeof operations)[Op]['statuses'][number]
}

/** Cases of one operation; none has a status the operation does not declare. */
export const casesOf = <Op extends OperationId>(op: Op, ...cases: readonly CaseOf<Op>[]): Case[] => cases.map((one) => ({ op, ...one }))

/** An error's code where a case names none. */
export const usualCode: Readonly<Record<number, Case['code']>> = {
  400: 'INVALID_PARAMS',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'INVALID_PARAMS',
  415: 'INVALID_PARAMS',
  422: 'UNTRUSTED_ARTIFACT',
  429: 'ADMISSION_REJECT',
  500: 'INTERNAL',
  503: 'POOL_UNAVAILABLE',
}

/** Names and digests nothing has. */
export const nobody = 'nobody'
export const noDigest = `sha256:${'0'.repeat(64)}`

export const other = { key: keys.other }
export const task = (fields: Record<string, unknown>, key: string = keys.data): Ask => ({ body: mockTask(fields), key })

/** What an operation answers when nothing can be made durable any more. */
export const noDisk = (ask: Ask = {}) => ({ status: 503, what: 'no disk', names: /durable/, world: 'diskless', ask }) as const

/** A body that is as it should be. */
export function bodyOf(op: OperationId): Readonly<Record<string, unknown>> {
  if (op === 'createTask') return mockTask()
  if (op === 'putSession') return {}
  if (op === 'drainPool') return { deadline_ms: 60_000 }
  if (op === 'reloadPool') return { model_ref: 'mock:v1' }
  if (op === 'createCatalogModel') return localModel()
  return op === 'setCatalogModelState' ? { state: 'Retired', deadline_ms: 0 } : artifact()
}

import type { components } from '../../generated/api.ts'
import type { operations } from '../../generated/operations.ts'
import type { OperationId } from '../harness/contract.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import type { World, WorldName } from './worlds.ts'

type ErrorCode = components['schemas']['ErrorCode']
type Declared<Op extends OperationId> = (typeof operations)[Op]['statuses'][number]

/** A request of an operation; what is left out is as it should be. */
export interface Ask {
  readonly id?: string
  /** `null` sends none. */
  readonly key?: string | null
  readonly bearer?: boolean
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: Readonly<Record<string, unknown>> | string
}

interface CaseOf<Op extends OperationId> {
  readonly op: Op
  readonly status: Declared<Op>
  readonly what: string
  readonly code?: ErrorCode
  /** `plain` if left out. */
  readonly world?: WorldName
  readonly ask?: Ask | ((world: World) => Ask | Promise<Ask>)
}

export type Case = { [Op in OperationId]: CaseOf<Op> }[OperationId]

/** An id nothing has. */
export const nobody = 'nobody'
export const noDigest = `sha256:${'0'.repeat(64)}`
export const other = { key: keys.other }
export const task = (fields: Record<string, unknown>): Ask => ({ body: mockTask(fields) })

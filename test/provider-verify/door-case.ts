import type { doorOperations } from '../../generated/doors.ts'
import type { Ask } from './case.ts'
import type { World } from './world.ts'
import type { WorldName } from './worlds.ts'

/** An operation of a door of another API. */
export type DoorOp = keyof typeof doorOperations

/** One answer of a door to one request. */
export interface DoorCase {
  readonly op: DoorOp
  readonly status: number
  readonly what: string
  /** What the body has to name. */
  readonly names?: RegExp
  /** `plain` if left out. */
  readonly world?: WorldName
  readonly ask?: Ask | ((world: World) => Ask | Promise<Ask>)
}

import { choose } from '../../domain/placement/choose.ts'
import { promptBlocks } from '../../domain/placement/prompt-blocks.ts'
import { cacheBlocks } from '../../domain/placement/warmth.ts'
import { taskKeyOf, type AcceptedTask } from '../../domain/task.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { Replica } from './replica.ts'

/** Whether a replica runs on all devices that a task requires. */
export const onDevices = ({ devices }: Pick<Replica, 'devices'>, { placement }: Pick<AcceptedTask['request'], 'placement'>): boolean =>
  placement?.require_device_mask?.every((device) => devices.includes(device)) ?? true

/** Whether a replica could take the task now. */
export const fitsNow = ({ dispatches, replicas }: Pool, { accepted }: PoolTask): boolean =>
  dispatches && replicas.some((replica) => replica.hasFreeSlot && onDevices(replica, accepted.request))

const capacityOf = ({ slots }: Replica, { ctxMax }: Pool): number => cacheBlocks(slots * ctxMax)

const noBlocks = new Int32Array()

/**
 * The replica that runs a task from now on, of those that are ready, have a free slot and the devices that it requires: the one that is
 * warm for it, as long as it is not more than one task busier than the idlest. The pool remembers the choice: the session comes back to it,
 * and so do prompts that begin alike. Undefined where none can take it now.
 */
export function chooseReplica<T extends PoolTask>(pool: Pool<T>, { accepted }: T): Replica | undefined {
  const { owner, request } = accepted
  if (!pool.dispatches) return undefined
  const able = pool.replicas.filter((replica) => replica.hasFreeSlot && onDevices(replica, request))
  const session = taskKeyOf(owner, request.session_id)
  // Where there is no choice, ever, nothing has to be known but what is told of the session.
  if (pool.replicas.length === 1) {
    if (able[0] !== undefined) pool.warmth.ran(able[0].id, session, noBlocks, capacityOf(able[0], pool))
    return able[0]
  }
  const { prompt = '', messages, tools = [] } = request
  const blocks = promptBlocks(messages === undefined ? { text: prompt } : { messages, tools })
  const chosen = choose(able, ({ id }) => pool.warmth.of(id, session, blocks))
  if (chosen !== undefined) pool.warmth.ran(chosen.id, session, blocks, capacityOf(chosen, pool))
  return chosen
}

import type { Log } from '../../ports/telemetry.ts'
import type { Replica } from './replica.ts'

/** The pool a replica is of. */
interface PoolOfReplica {
  readonly id: string
  /** It is the one that serves under its id. */
  readonly current: boolean
  readonly config: { readonly engine: string; readonly model: string }
}

/** Says in the log what has become of a replica. */
export function logReplica(
  log: Log,
  { id: pool_id, current, config: { engine, model } }: PoolOfReplica,
  { id, props, state, last_error: error }: Replica,
): void {
  const fields = { pool_id, replica_id: id, engine, engine_version: props?.engine_version, model_ref: model, state }
  // Beside the engines that serve there are those of a reload: nobody should take them for the pool's own.
  const whose = current
    ? `Replica ${id} of pool ${pool_id}`
    : `Replica ${id} of pool ${pool_id}, not the one that serves but one with ${model},`
  if (state === 'down')
    log.warn({ ...fields, error, event: 'replica' }, `${whose} is down${current ? ' and will be started again' : ''}: ${error ?? ''}.`)
  else if (state === 'stopped' && error !== undefined) log.warn({ ...fields, error, event: 'replica' }, `${whose} is stopped: ${error}`)
  else log.info({ ...fields, event: 'replica' }, `${whose} is ${state}.`)
}

import type { components as config } from '../../../generated/config.ts'
import { nameTold } from '../../domain/models/names-of-pools.ts'
import type { Clock } from '../../ports/clock.ts'
import { EngineError, type Engine, type EngineProps } from '../../ports/engine.ts'
import type { ReplicaOptions } from './replica-options.ts'
import { Replica } from './replica.ts'

/** A pool of the configuration. */
export type PoolConfig = config['schemas']['Pool']
/** A replica of the configuration. */
export type ReplicaConfig = PoolConfig['replicas'][number]

/** What replicas are made with. */
export interface ReplicaParts {
  /** Makes the engine of a replica; it is not started. */
  readonly engineOf: (pool: PoolConfig, replica: ReplicaConfig) => Engine
  readonly clock: Clock
  /** 0 to 1, @see Breaker */
  readonly jitter: () => number
}

/** The replicas of a pool, not started. One whose model is not that of the others that are up stays down, for tasks go to any of them. */
export function replicasOf(
  config: PoolConfig,
  { engineOf, clock, jitter }: ReplicaParts,
  onChange: ReplicaOptions<Replica>['onChange'],
): Replica[] {
  const { start_ms } = config.timeouts
  const replicas: Replica[] = config.replicas.map((replica) => {
    const check = (props: EngineProps): void => {
      for (const { id, state, props: up } of replicas)
        if (id !== replica.id && state === 'ready' && up !== undefined) checkSame(props, id, up)
    }
    return new Replica({ ...replica, start_ms, engine: engineOf(config, replica), clock, jitter, onChange, check })
  })
  return replicas
}

/** @throws EngineError where another model is served */
function checkSame(props: EngineProps, id: string, up: EngineProps): void {
  const { model, model_digest } = props
  const differ = (what: string, mine: string, other: string): EngineError =>
    new EngineError(`it serves ${what} ${mine}, and replica ${id} of its pool ${other}: give them one model, or a pool each`, {
      retriable: true,
    })
  const [name = model, other = up.model] = [model, up.model].map((told) => (told === undefined ? undefined : nameTold(told)))
  if (name !== undefined && other !== undefined && name !== other) throw differ('the model', name, other)
  if (model_digest !== undefined && up.model_digest !== undefined && model_digest !== up.model_digest)
    throw differ('a model of the digest', model_digest, up.model_digest)
}

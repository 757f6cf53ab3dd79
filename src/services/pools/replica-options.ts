import type { Clock } from '../../ports/clock.ts'
import type { Engine, EngineProps } from '../../ports/engine.ts'

/** What a replica `R` is made with. */
export interface ReplicaOptions<R> {
  readonly id: string
  /** As many as the engine tells unless given. */
  readonly slots?: number
  readonly devices: readonly number[]
  /** Time the engine has to come up, ms. */
  readonly start_ms: number
  readonly engine: Engine
  readonly clock: Clock
  /** @see Breaker */
  readonly jitter: () => number
  /** Takes what its engine says of itself, when it is up. @throws EngineError where the pool cannot have it */
  readonly check?: (props: EngineProps) => void
  /** Called after every change of `state`, and when a slot becomes free. */
  readonly onChange: (replica: R, change: 'state' | 'slot') => void
}

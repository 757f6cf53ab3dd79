import type { DaemonEvent, EventSink, PoolLabels } from '../../domain/daemon-events.ts'
import type { Priority } from '../../domain/task.ts'
import type { Replica } from './replica.ts'

/** What is told of a pool. */
interface Telling {
  readonly id: string
  readonly config: { readonly engine: PoolLabels['engine']; readonly model: string }
  readonly current: boolean
  readonly props: Replica['props']
  readonly scheduler: { depth(priority: Priority): number; first(priority: Priority): { readonly accepted_on: number } | undefined }
}

/** Tells the daemon's listeners of a pool, under labels that follow its engine's version. */
export class PoolTeller {
  /** Made anew only when a replica changes: they are used for every task. */
  labels: PoolLabels
  private readonly pool: Telling
  private readonly events: EventSink
  /** What was told of the queue last. */
  private told: Extract<DaemonEvent, { type: 'queue_changed' }> | undefined

  constructor(pool: Telling, events: EventSink) {
    this.pool = pool
    this.events = events
    this.labels = { engine: pool.config.engine, engine_version: 'unknown', pool_id: pool.id }
  }

  /** How much waits, if it is another number than was told. */
  depth(): void {
    if (!this.pool.current) return
    const { scheduler } = this.pool
    const { told, labels: pool } = this
    const [interactive, batch] = [scheduler.depth('interactive'), scheduler.depth('batch')]
    if (told?.pool === pool && told.interactive === interactive && told.batch === batch) return
    this.told = { type: 'queue_changed', pool, interactive, batch }
    this.events.emit(this.told)
  }

  /** How long the first in line of each class has waited. */
  age(now: number): void {
    if (!this.pool.current) return
    const of = (priority: Priority): number => Math.max(0, Math.round(now - (this.pool.scheduler.first(priority)?.accepted_on ?? now)))
    this.events.emit({ type: 'queue_aged', pool: this.labels, interactive_ms: of('interactive'), batch_ms: of('batch') })
  }

  /** The queue has other labels from now on, or is another pool's to tell of. */
  queueGone(): void {
    this.told = undefined
    if (this.pool.current) this.events.emit({ type: 'queue_gone', pool: this.labels })
  }

  /** A replica has come up, or has ceased to be. */
  replicaChanged({ id, state, props, last_error }: Replica): void {
    const { pool } = this
    const engine_version = pool.props?.engine_version ?? 'unknown'
    if (engine_version !== this.labels.engine_version) {
      this.queueGone()
      this.labels = { ...this.labels, engine_version }
    }
    this.events.emit({
      type: 'replica_changed',
      pool: this.labels,
      model_ref: pool.config.model,
      current: pool.current,
      replica_id: id,
      state,
      engine_version: props?.engine_version,
      error: last_error,
    })
  }
}

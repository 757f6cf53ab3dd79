import type { ReplicaChanged } from '../../domain/daemon-events.ts'

/** A load of a replica that is under way. */
export interface Load {
  readonly since: number
  /** What the last one took, ms. */
  readonly expected_ms: number | undefined
}

/** Which replicas are coming up, and how long they took before. */
export class Loads {
  private readonly began = new Map<string, number>()
  private readonly took = new Map<string, number>()

  /** A replica has changed its state. */
  changed({ pool, model_ref, replica_id, state, current }: ReplicaChanged, now: number): void {
    if (!current) return
    const name = nameOf(pool.pool_id, replica_id)
    const began = this.began.get(name)
    this.began.delete(name)
    if (state === 'starting') this.began.set(name, now)
    else if (state === 'ready' && began !== undefined) this.took.set(`${name} ${model_ref}`, now - began)
  }

  /** Undefined where the replica is not coming up. */
  of(pool_id: string, replica_id: string, model_ref: string): Load | undefined {
    const name = nameOf(pool_id, replica_id)
    const since = this.began.get(name)
    return since === undefined ? undefined : { since, expected_ms: this.took.get(`${name} ${model_ref}`) }
  }
}

const nameOf = (pool_id: string, replica_id: string): string => `${pool_id}/${replica_id}`

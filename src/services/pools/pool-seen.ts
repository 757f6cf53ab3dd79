import type { Waiter } from '../../domain/groups/forecast.ts'
import type { PoolSeen, SleepSeen } from '../../domain/queue/waits.ts'
import type { Pool } from './pool.ts'
import type { Replica } from './replica.ts'

/**
 * A pool as a task that waits in it sees it. O(replicas).
 * @param fits whether a replica has what the task requires
 */
export function poolSeen(pool: Pool, waiter: Waiter, fits: (replica: Replica) => boolean, now: number): PoolSeen {
  const { life, closed, current, ends_at, replicas } = pool
  return {
    life,
    leaves: closed || !current ? { ends_in_ms: ends_at === undefined ? undefined : ends_at - now } : undefined,
    sleeps: sleepSeen(pool, waiter, now),
    replicas: replicas.map((replica) => ({
      id: replica.id,
      state: replica.state,
      slots: replica.slots,
      free: replica.hasFreeSlot,
      fits: replicas.length === 1 || fits(replica),
      on_trial: replica.onTrial,
      ready_in_ms: replica.ready_at === undefined ? undefined : replica.ready_at - now,
    })),
  }
}

function sleepSeen({ seat }: Pool, waiter: Waiter, now: number): SleepSeen | undefined {
  if (seat === undefined || seat.state === 'loaded') return undefined
  const { state, retry_at, holder } = seat
  return { state, loaded_in_ms: seat.loadedIn(waiter).mean, retry_in_ms: retry_at > now ? retry_at - now : undefined, holder }
}

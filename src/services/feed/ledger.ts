import type { DaemonEvent } from '../../domain/daemon-events.ts'
import { KeyUse } from '../../domain/feed/key-use.ts'
import { Series, most_samples, sample_ms } from '../../domain/feed/series.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { iso, type FeedSample, type FeedSamples } from './wire.ts'

/** What the ledger works with. */
export interface LedgerParts {
  readonly pools: Pick<Pools<LiveTask>, 'serving'>
  readonly clock: Clock
}

/** Values of all pools together that one snapshot carries at most. */
const most_values = 8 * most_samples
/** What the seven numbers of one value take on the wire. */
const bytes_of_value = 28

/**
 * The last hour of each pool and the last ten minutes of each key. It goes on while nobody looks, for who comes wants to see what was: some
 * additions for each task, one look at what runs every 5 s, nothing for a token.
 */
export class Ledger {
  private readonly parts: LedgerParts
  private readonly series = new Map<string, Series>()
  private readonly keys = new Map<string, KeyUse>()
  /** When samples were taken, wall time; the newest last. */
  private readonly taken: number[] = []
  /** Told after each sample. */
  onSample: (points: FeedSample) => void = () => undefined

  constructor(parts: LedgerParts) {
    this.parts = parts
  }

  /** Takes samples from now on. Returns how to stop. */
  start(): CancelTimer {
    return this.parts.clock.every(sample_ms, () => this.sample())
  }

  /** Something has happened to a task. */
  heard(event: DaemonEvent): void {
    switch (event.type) {
      case 'task_first_part':
        this.seriesOf(event.task.pool.pool_id).firstToken(event.first_token_ms)
        return
      case 'task_refused':
        if (event.pool_id !== undefined) this.seriesOf(event.pool_id).refused()
        this.keyOf(event.task.owner).add(this.parts.clock.now(), { refused: 1 })
        return
      case 'task_ended': {
        const { task, outcome, reason } = event
        const { clock } = this.parts
        const tokens = outcome.tokens_out ?? 0
        const late = reason === 'deadline'
        this.seriesOf(task.pool.pool_id).ended(tokens, late)
        const now = clock.now()
        const use = this.keyOf(task.owner)
        use.add(now, { tokens, late: late ? 1 : 0 })
        if (outcome.started_at !== undefined) use.ran(now - Math.max(0, clock.wallOf(now) - outcome.started_at), now)
        return
      }
      default:
        return
    }
  }

  /** Keys that have had tasks, each with what it has used. */
  used(): ReadonlyMap<string, KeyUse> {
    return this.keys
  }

  /** Tokens that tasks of a pool have generated which have ended. */
  tokensOf(pool_id: string): number {
    return this.seriesOf(pool_id).ended_tokens
  }

  /** The last hour of these pools. */
  samples(pools: readonly string[]): FeedSamples {
    const most = Math.min(most_samples, Math.floor(most_values / Math.max(1, pools.length)))
    const at = this.taken.at(-1)
    return {
      ...(at === undefined ? {} : { at: iso(at) }),
      every_ms: sample_ms,
      pools: pools.map((pool_id) => {
        const series = this.seriesOf(pool_id)
        const whole = (column: 'waiting' | 'running' | 'tokens_out' | 'refused' | 'late') => series.newest(column, most).map((n) => n ?? 0)
        return {
          pool_id,
          waiting: whole('waiting'),
          running: whole('running'),
          tokens_out: whole('tokens_out'),
          first_token_median_ms: series.newest('first_token_median_ms', most),
          first_token_p95_ms: series.newest('first_token_p95_ms', most),
          refused: whole('refused'),
          late: whole('late'),
        }
      }),
    }
  }

  /** About what `samples` of so many pools takes on the wire, bytes. */
  bytes(pools: number): number {
    return Math.min(most_values, this.taken.length * pools) * bytes_of_value
  }

  private sample(): void {
    const { pools, clock } = this.parts
    const now = clock.wallOf(clock.now())
    if (this.taken.push(now) > most_samples) this.taken.shift()
    const levels = new Map<string, { waiting: number; running: number; tokens: number }>()
    for (const pool of pools.serving()) {
      const level = levels.get(pool.id) ?? { waiting: 0, running: 0, tokens: 0 }
      level.waiting += pool.scheduler.depth()
      level.running += pool.running.size
      for (const task of pool.running) level.tokens += task.log.partCount
      levels.set(pool.id, level)
    }
    const points = Array.from(levels, ([pool_id, level]) => ({ pool_id, ...this.seriesOf(pool_id).take(level) }))
    this.onSample({ at: iso(now), points })
  }

  private seriesOf(pool_id: string): Series {
    const known = this.series.get(pool_id) ?? new Series()
    this.series.set(pool_id, known)
    return known
  }

  private keyOf(name: string): KeyUse {
    const known = this.keys.get(name) ?? new KeyUse()
    this.keys.set(name, known)
    return known
  }
}

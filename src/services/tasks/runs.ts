import type { Attempts } from '../../domain/task.ts'
import type { Pool } from '../pools/pool.ts'

/**
 * How a run takes up what there is of an answer. `replay`: the engine gives the same again, and what is out is left away. `continuation`: it goes
 * on from the text, and what it gives is in the journal before it goes out. `afresh`: it begins, and can only be begun again.
 */
export type RunMode = 'replay' | 'continuation' | 'afresh'

/** The runs of a task. */
export class Runs {
  /** Begun, those before a restart that count included. */
  count = 0
  /** It was found unfinished by a start of the daemon: it may be what ended the life before. */
  restored = false
  /** The newest is under way. */
  private open = false
  private mode: RunMode | undefined
  private pool: Pool | undefined

  /** Those of an earlier life of the daemon, which were in this pool if they are to be replayed. */
  restore(attempts: Attempts | undefined, pool: Pool): void {
    this.restored = true
    this.count = attempts?.failed ?? 0
    if (attempts === undefined) return
    this.mode = attempts.recorded === true ? 'continuation' : attempts.replayable ? 'replay' : 'afresh'
    this.pool = pool
  }

  /** The next one begins. */
  begin(mode: RunMode, pool: Pool): void {
    this.count++
    this.open = true
    this.mode = mode
    this.pool = pool
  }

  /** The newest is over. */
  end(): void {
    this.open = false
  }

  /** The number of the run that is under way; undefined while there is none. */
  get underWay(): number | undefined {
    return this.open ? this.count : undefined
  }

  /** All there is of the answer was given by engines of this pool that give it again. */
  replayIn(pool: Pool): boolean {
    return this.mode === 'replay' && this.pool === pool
  }

  /** All that is out is in the journal. */
  get recorded(): boolean {
    return this.mode === 'continuation'
  }

  /** The next start of the daemon can take the task up where it is. */
  get survive(): boolean {
    return this.mode === 'replay' || this.mode === 'continuation'
  }
}

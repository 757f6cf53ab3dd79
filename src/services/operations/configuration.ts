import type { components } from '../../../generated/api.ts'
import type { DaemonListener } from '../../domain/daemon-events.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PoolConfig } from '../pools/pool.ts'

/** The configuration that runs, as the wire shows it. */
export type RunningConfig = components['schemas']['RunningConfig']

/** What the configuration that runs is told from. */
export interface ConfigurationParts {
  /** What was loaded, with these pools in place of those of the file, without its secrets. */
  readonly shown: (pools: readonly PoolConfig[]) => Record<string, unknown>
  readonly clock: Clock
}

/** What runs, since when, and the last change of it that was refused. */
export class Configuration {
  private readonly parts: ConfigurationParts
  private readonly loaded_at: string
  private refused: RunningConfig['refused']

  constructor(parts: ConfigurationParts) {
    this.parts = parts
    this.loaded_at = this.now()
  }

  /** Hears of reloads that were refused. */
  readonly listener: DaemonListener = (event) => {
    if (event.type !== 'reload_failed') return
    const { pool_id, model_ref, cause } = event
    this.refuse(pool_id, `reload to ${model_ref} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
  }

  /** A change of a pool was refused; the newest refusal is kept. */
  refuse(pool_id: string, message: string): void {
    this.refused = { at: this.now(), pool_id, message: message.slice(0, 2000).toWellFormed() }
  }

  /** @param pools as they serve now */
  view(pools: readonly PoolConfig[]): RunningConfig {
    const { loaded_at, refused } = this
    return { loaded_at, config: this.parts.shown(pools), ...(refused === undefined ? {} : { refused }) }
  }

  private now(): string {
    const { clock } = this.parts
    return new Date(clock.wallOf(clock.now())).toISOString()
  }
}

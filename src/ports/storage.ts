import type { ArtifactStore } from './artifact-store.ts'
import type { BatchStore } from './batch-store.ts'
import type { CatalogStore } from './catalog-store.ts'
import type { EventLog } from './event-log.ts'
import type { FileStore } from './file-store.ts'
import type { Journal } from './journal.ts'
import type { PoolStore } from './pool-store.ts'
import type { SessionStore } from './session-store.ts'
import type { Space } from './space.ts'
import type { UsageStore } from './usage-store.ts'

/** Everything that outlives the daemon: one place to write, and places to read what was written. */
export interface Storage {
  readonly journal: Journal
  readonly eventLog: EventLog
  readonly sessions: SessionStore
  readonly artifacts: ArtifactStore
  readonly catalog: CatalogStore
  readonly pools: PoolStore
  readonly files: FileStore
  readonly batches: BatchStore
  readonly usage: UsageStore
  readonly space: Space
  /** The newest point in time that tasks, artifacts and sessions were written with, ms since the epoch; 0 where there is none. */
  newest(): Promise<number>
  /** Resolves, with the reason, when the storage is lost by itself: every call rejects from then on. */
  readonly lost: Promise<Error>
  /**
   * Writes what was committed and lets go of the place; calls made after it reject with StorageError.
   * @throws StorageError it could not be closed properly; what was confirmed is durable all the same
   */
  close(): Promise<void>
}

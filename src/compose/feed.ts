import type { Config } from '../config/config.ts'
import { versionOf } from '../config/version.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/telemetry.ts'
import type { DaemonEvents } from '../services/daemon-events.ts'
import { Feed } from '../services/feed/feed.ts'
import { restartOfThese } from '../services/operations/restart.ts'
import type { Pools } from '../services/pools/pools.ts'
import type { LiveTask } from '../services/tasks/live-task.ts'
import type { LiveTasks } from '../services/tasks/live-tasks.ts'

/** What the feed stands on. */
export interface FeedRoom {
  readonly config: Config
  readonly pools: Pools<LiveTask>
  readonly live: LiveTasks
  readonly clock: Clock
  readonly metrics: Metrics
  readonly events: DaemonEvents
  /** The daemon takes no new tasks any more. */
  readonly isStopping: () => boolean
}

/** The feed, which listens to the daemon, and how to stop it. */
export function feedOf({ config, events, isStopping, ...parts }: FeedRoom): { feed: Feed; stopFeed: () => void } {
  const { pools, clock } = parts
  const version = versionOf()
  const started_at = new Date(clock.wallOf(clock.now())).toISOString()
  const feed = new Feed({
    ...parts,
    groups: new Map(config.groups.flatMap(({ id, pools }) => pools.map((pool) => [pool, id] as const))),
    daemonOf: (begun, waiting) => {
      const { lost, lossless_in_ms, ...sums } = restartOfThese(begun, waiting, { pools, clock })
      const named = lost.map(({ task_id }) => task_id)
      const restart = { ...sums, lost: named, ...(lossless_in_ms === undefined ? {} : { lossless_in_ms }) }
      return { version, started_at, stopping: isStopping(), config: { loaded_at: started_at }, restart }
    },
  })
  events.listen(feed.listener)
  return { feed, stopFeed: feed.start() }
}

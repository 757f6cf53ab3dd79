/** The daemon in a process of its own, told by its parent on what to run; answers each message with what a restart would do now. */
import type { Restart } from '../../src/domain/restart.ts'
import { startDaemon } from './daemon.ts'

/** What the parent is told first, and then after each message. */
export type Verdict = { readonly url: string } | { readonly restart: Restart; readonly kept: boolean }

const tell = (verdict: Verdict): void => void process.send?.(verdict)

const daemon = await startDaemon(JSON.parse(process.argv[2] ?? '{}') as Record<string, unknown>)
process.on('message', () => {
  // Whether the journal was given all that is known of the runs.
  const kept = [...daemon.live.all()].every(({ runs }) => !runs.changed)
  tell({ restart: daemon.restart(), kept })
})
tell({ url: daemon.url })

import { span } from '../text.ts'
import type { Task } from '../live/types.ts'

/** A stretch of a track. */
export interface Segment {
  readonly kind: 'queued' | 'loading' | 'prefilling' | 'decoding' | 'predicted'
  /** Where it begins and how long it is, shares of the axis. */
  readonly left: number
  readonly width: number
}

/** One run of a task, on the axis that all its runs share. */
export interface Track {
  readonly n: number
  readonly replica_id: string | undefined
  readonly segments: readonly Segment[]
  /** What it was, in words: `queued 0:09, prefill 0:07`. */
  readonly words: string
  /** How it ended where it should not have. */
  readonly broke: { readonly at: number; readonly why: string } | undefined
}

/** The life of a task so far and as predicted. */
export interface Timeline {
  /** Length of the axis, ms from acceptance. */
  readonly length_ms: number
  readonly tracks: readonly Track[]
  /** Where now is, a share; undefined once it has ended. */
  readonly now: number | undefined
}

const words: Readonly<Record<string, string>> = { queued: 'queued', loading: 'loading', prefilling: 'prefill', decoding: 'decode' }
const kindOf = (phase: string): Segment['kind'] => (phase in words ? (phase as Segment['kind']) : 'queued')

/** @param now the daemon's time, ms since 1970 @param start_at when it should start while it waits, ms since 1970 */
export function timelineOf(task: Task, now: number, start_at: number | undefined): Timeline {
  const accepted = Date.parse(task.accepted_at)
  const over = task.finished_at === undefined ? undefined : Date.parse(task.finished_at) - accepted
  const at = over ?? now - accepted
  const future = over === undefined && start_at !== undefined ? Math.max(0, start_at - accepted) : at
  // What is predicted has some room behind its start, for how long it runs nobody says.
  const length_ms = Math.max(1000, at, future > at ? future * 1.15 : at)
  const share = (ms: number): number => Math.max(0, Math.min(1, ms / length_ms))
  const runs = new Map<number, Track>()
  const phases = task.phases ?? []
  for (const n of new Set([...phases.map(({ attempt }) => attempt), ...(task.attempts ?? []).map((attempt) => attempt.n)])) {
    const own = phases.filter(({ attempt }) => attempt === n)
    const run = task.attempts?.find((attempt) => attempt.n === n)
    const last = n === phases.at(-1)?.attempt
    const segments = own.map(({ phase, from_ms, to_ms = at }) => ({
      kind: kindOf(phase),
      left: share(from_ms),
      width: share(to_ms) - share(from_ms),
    }))
    const predicted =
      last && over === undefined && future > at ? [{ kind: 'predicted' as const, left: share(future), width: 1 - share(future) }] : []
    const broke =
      run?.code === undefined
        ? undefined
        : { at: share(run.ended_at === undefined ? at : Date.parse(run.ended_at) - accepted), why: run.message ?? run.code }
    runs.set(n, {
      ...{ n, replica_id: run?.replica_id, segments: [...segments, ...predicted], broke },
      words: own.map(({ phase, from_ms, to_ms = at }) => `${words[phase] ?? phase} ${span(to_ms - from_ms)}`).join(', '),
    })
  }
  return { length_ms, tracks: [...runs.values()].sort((a, b) => a.n - b.n), now: over === undefined ? share(at) : undefined }
}

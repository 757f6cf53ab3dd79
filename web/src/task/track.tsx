import type { VNode } from 'preact'
import { now } from '../live/clock.ts'
import type { Task } from '../live/types.ts'
import { Out } from '../out.tsx'
import { span, timeOfDay } from '../text.ts'
import { timelineOf, type Segment, type Track } from './timeline.ts'

const classes: Readonly<Record<Segment['kind'], string>> = {
  queued: 'q_',
  loading: 'ld',
  prefilling: 'pf',
  decoding: 'dc',
  predicted: 'fut',
}
const width = (share: number): string => `${(share * 100).toFixed(2)}%`

/** One track a run on one axis of time, and what is predicted. */
export function Tracks({ task, start_at }: { readonly task: Task; readonly start_at: number | undefined }): VNode | null {
  const accepted = Date.parse(task.accepted_at)
  const { tracks, length_ms, now: at } = timelineOf(task, now.value, start_at)
  if (tracks.length === 0) return null
  const said = tracks.map(({ n, words, broke }) => `Run ${n}: ${words}${broke === undefined ? '' : `, ended: ${broke.why}`}`).join('. ')
  return (
    <div class="tl" role="img" aria-label={`Timeline. ${said}.`}>
      {tracks.map((track) => (
        <Run key={track.n} track={track} pool_id={task.pool_id} at={at} />
      ))}
      <div class="ticks">
        <span style={{ left: '0', transform: 'none' }}>{timeOfDay(accepted)}</span>
        {at !== undefined && at > 0.25 && at < 0.8 && (
          <span style={{ left: width(at), color: 'var(--ink)' }}>now, +{span(at * length_ms)}</span>
        )}
        <span style={{ left: '100%', transform: 'translateX(-100%)' }}>
          {at !== undefined && at >= 0.999 ? 'now, ' : ''}+{span(length_ms)}
        </span>
      </div>
      <p class="key">
        <s class="q_" />
        queued <s class="ld" />
        loading <s class="pf" />
        prefill <s class="dc" />
        decode <s class="fut" />
        predicted
      </p>
    </div>
  )
}

function Run({
  track: { n, replica_id, segments, words, broke },
  pool_id,
  at,
}: {
  readonly track: Track
  readonly pool_id: string
  readonly at: number | undefined
}): VNode {
  return (
    <>
      <p>
        <b>Run {n}</b>
        {replica_id !== undefined && (
          <>
            {' '}
            on <Out text={`${pool_id}/${replica_id}`} />
          </>
        )}
        : {words}
        {broke !== undefined && (
          <span class="bad">
            , ✕ <Out text={broke.why} />
          </span>
        )}
      </p>
      <div class="trk">
        {segments.map(({ kind, left, width: wide }, i) => (
          <s key={i} class={classes[kind]} style={{ left: width(left), width: width(wide) }} />
        ))}
        {broke !== undefined && <em class="k" style={{ left: width(broke.at) }} />}
        {at !== undefined && broke === undefined && at < 0.999 && <em style={{ left: width(at) }} />}
      </div>
    </>
  )
}

import type { VNode } from 'preact'
import { live, toldAt } from '../live/store.ts'
import { highest, summed } from '../live/samples.ts'
import type { FeedDaemon } from '../live/types.ts'
import { Out, Since, Until } from '../out.tsx'
import { seconds, short, whole } from '../text.ts'
import { restartWords } from './attention.ts'
import { late } from './late.ts'
import { wholeSlots } from './words.ts'

/** The six figures at the top: what runs, what waits, what will be late, how fast, how soon, and what a restart would do. */
export function Figures(): VNode {
  return (
    <dl class="now" aria-label="Right now">
      <Running />
      <Waiting />
      <Late />
      <Rate />
      <FirstToken />
      <Restart daemon={live.daemon.value} />
    </dl>
  )
}

function Running(): VNode {
  const pools = live.pools.value
  const [up, all] = [pools.reduce((sum, { slots }) => sum + slots, 0), pools.reduce((sum, pool) => sum + wholeSlots(pool), 0)]
  return (
    <div>
      <dt>Running</dt>
      <dd>
        <b>{live.running_total}</b> of {up} <span class="m">slots up{up === all ? '' : `, ${all} in all`}</span>
      </dd>
    </div>
  )
}

function Waiting(): VNode {
  const total = live.pools.value.reduce((sum, { waiting }) => sum + waiting.interactive + waiting.batch, 0)
  const batch = live.pools.value.reduce((sum, { waiting }) => sum + waiting.batch, 0)
  // The oldest is known only where all are in view.
  const seen = [...live.order.value.values()].every(({ rest }) => rest === undefined)
  let oldest: string | undefined
  if (seen)
    for (const { facts } of live.rows.value) {
      const { state, accepted_at } = facts.peek()
      if (state === 'queued' && (oldest === undefined || accepted_at < oldest)) oldest = accepted_at
    }
  return (
    <div>
      <dt>Waiting</dt>
      <dd>
        <b>{whole(total)}</b>{' '}
        <span class="m">
          {oldest !== undefined && (
            <>
              oldest <Since at={Date.parse(oldest)} />
            </>
          )}
          {oldest !== undefined && batch > 0 && ', '}
          {batch > 0 && `${whole(batch)} batch`}
        </span>
      </dd>
    </div>
  )
}

function Late(): VNode {
  const n = late.value.length
  const seen = [...live.order.value.values()].reduce((sum, { first }) => sum + first.filter((h) => h >= 0).length, 0)
  return (
    <div>
      <dt>Probably late</dt>
      <dd>
        <b class={n > 0 ? 'warn' : ''}>{n}</b> <span class="m">of {whole(seen)} in view</span>
      </dd>
    </div>
  )
}

function Rate(): VNode {
  const rate = live.pools.value.reduce((sum, { tokens_per_s }) => sum + tokens_per_s, 0)
  const before = Math.max(0, ...summed(live.samples.value, ({ tokens_out }) => tokens_out)) / (live.samples.value.every_ms / 1000)
  // This second may be the highest: the samples are means over longer.
  const most = Math.max(before, rate)
  return (
    <div>
      <dt>Tokens a second</dt>
      <dd>
        <b>{short(rate)}</b> <span class="m">{most > 0 && `at most ${short(most)} this hour`}</span>
      </dd>
    </div>
  )
}

/** So many of the newest values are looked at: five minutes. */
const recent = 60

function FirstToken(): VNode {
  const value = (list: readonly (number | null)[]): number | undefined => {
    const known = list.slice(-recent).filter((one) => one !== null)
    return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length
  }
  const median = value(highest(live.samples.value, ({ first_token_median_ms }) => first_token_median_ms))
  const worst = value(highest(live.samples.value, ({ first_token_p95_ms }) => first_token_p95_ms))
  return (
    <div>
      <dt>First token</dt>
      <dd>
        <b>{median === undefined ? '—' : seconds(median)}</b>{' '}
        <span class="m">{worst === undefined ? 'none in the last 5 min' : `median, ${seconds(worst)} at worst 5 %`}</span>
      </dd>
    </div>
  )
}

function Restart({ daemon }: { readonly daemon: FeedDaemon | undefined }): VNode {
  const restart = daemon?.restart
  const words = restart === undefined ? undefined : restartWords(restart)
  const running = restart === undefined ? 0 : restart.running_continue + restart.running_rerun + restart.running_lost
  return (
    <div>
      <dt>If the daemon is restarted now</dt>
      {restart !== undefined && words !== undefined && (
        <dd class="s">
          {running + restart.waiting_kept > 0 && restart.running_lost === 0 && 'Nothing is lost. '}
          {words.kept} {running === 0 && 'Nothing runs.'}
          {running > 0 && `Of ${running} running `}
          {words.on !== '' && <strong>{words.on}</strong>}
          {words.on !== '' && (words.rerun !== '' || words.lost !== '') && ', '}
          {words.rerun !== '' && <strong>{words.rerun}</strong>}
          {words.rerun !== '' && words.lost !== '' && ', '}
          {words.lost !== '' && <strong class="bad">{words.lost}</strong>}
          {restart.lost.length > 0 && (
            <>
              {' ('}
              <Out text={restart.lost.slice(0, 2).join(', ')} />
              {restart.running_lost > 2 ? ' and others)' : ')'}
            </>
          )}
          {restart.lossless_in_ms !== undefined && restart.running_lost > 0 && (
            <Lossless at={toldAt(daemon ?? {}) + restart.lossless_in_ms} />
          )}
          {running > 0 && restart.running_lost === 0 && '.'}
        </dd>
      )}
    </div>
  )
}

const Lossless = ({ at }: { readonly at: number }): VNode => (
  <>
    ; in about <Until at={at} /> none
  </>
)

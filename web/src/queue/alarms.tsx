import type { VNode } from 'preact'
import { live, toldAt } from '../live/store.ts'
import { Out, Sign, Until } from '../out.tsx'
import { go } from '../route.ts'
import { alarmsOf, type Alarm } from './attention.ts'
import { late } from './late.ts'

/** What needs attention: empty while all is well. It is read out when it changes. */
export function Alarms(): VNode {
  const all = live.viewer.value?.role === 'control'
  const alarms = alarmsOf(live.pools.value, live.devices.value, live.daemon.value, late.value, { at: toldAt, all })
  return (
    <ul class="att" aria-label="Needs attention" aria-live="polite">
      {alarms.map((alarm) => (
        <Entry key={alarm.what} alarm={alarm} />
      ))}
    </ul>
  )
}

function Entry({ alarm: { level, sign, what, how, again_at, after = '', pool, filter } }: { readonly alarm: Alarm }): VNode {
  return (
    <li class={level === 'bad' ? 'i1' : 'i2'}>
      <span class="g">
        <Sign is={sign} kind={level} />
      </span>
      <p>
        <b>
          <Out text={what} />
        </b>
        <Out text={how} />
        {again_at !== undefined && <Until at={again_at} />}
        <Out text={after} />
      </p>
      {filter !== undefined && (
        <button type="button" class="link" onClick={() => go({ page: 'q', filter })}>
          Only these
        </button>
      )}
      {pool !== undefined && (
        <button type="button" class="link" onClick={() => showPool(pool)}>
          Show
        </button>
      )}
    </li>
  )
}

/** Brings a lane into view. */
export const showPool = (pool_id: string): void => document.getElementById(`pool-${pool_id}`)?.scrollIntoView({ block: 'start' })

import { signal } from '@preact/signals'
import type { VNode } from 'preact'
import { now } from '../live/clock.ts'
import { live, ownerOf } from '../live/store.ts'
import type { FeedDevice, FeedEnded, FeedKey } from '../live/types.ts'
import { Bar, Out } from '../out.tsx'
import { go, hrefOfTask } from '../route.ts'
import { dayAndTime, gigabytes, percent, short, whole } from '../text.ts'
import { deviceName } from './words.ts'

/** The accelerators: who uses them, their memory and how busy they are. Nothing where there are none. */
export function Devices(): VNode | null {
  const devices = live.devices.value
  if (devices.length === 0) return null
  return (
    <section aria-labelledby="gpus">
      <h2 id="gpus">GPUs</h2>
      <table>
        <colgroup>
          <col style={{ width: devices.some(({ name }) => name !== undefined) ? '100px' : '40px' }} />
          <col />
          <col style="width:54px" />
          <col style="width:94px" />
          <col style="width:46px" />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">GPU</th>
            <th scope="col">Used by</th>
            <th scope="col" colSpan={2} class="n">
              Memory, GB
            </th>
            <th scope="col" class="n">
              Busy
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <Device key={device.index} device={device} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Device({ device: { index, name, busy, used_bytes, free_bytes, fault, used_by } }: { readonly device: FeedDevice }): VNode {
  const all = (used_bytes ?? 0) + (free_bytes ?? 0)
  const down = live.pools.value.flatMap(({ pool_id, replicas }) =>
    replicas
      .filter(({ state, devices }) => state === 'down' && devices.includes(index))
      .map(({ replica_id }) => `✕ ${pool_id}/${replica_id}`),
  )
  const users = [...used_by.map(({ pool_id, replica_id }) => `${pool_id}/${replica_id}`), ...down]
  return (
    <tr>
      <td title={name}>
        {index}
        {name !== undefined && (
          <span class="m">
            {' '}
            <Out text={deviceName(name)} />
          </span>
        )}
      </td>
      <td class={fault === undefined && down.length === 0 ? '' : 'bad'} title={fault}>
        {fault !== undefined && '✕ '}
        {users.length === 0 ? <span class="m">nobody</span> : <Out text={users.join(', ')} />}
      </td>
      <td>{all > 0 && <Bar kind="v" share={(used_bytes ?? 0) / all} />}</td>
      <td class="n">{all > 0 ? `${gigabytes(used_bytes ?? 0)} of ${gigabytes(all)}` : '—'}</td>
      <td class="n">{busy === undefined ? '—' : percent(busy)}</td>
    </tr>
  )
}

const isThere = ({ running, waiting, share, tokens, refused, late }: FeedKey): boolean =>
  running + waiting + share + tokens + refused + late > 0
const minutes = 10

/** Who has the engines: keys by their share of engine time. */
export function Keys(): VNode {
  const keys = live.keys.value.filter(isThere).sort((a, b) => b.share - a.share || b.waiting - a.waiting)
  const most = Math.max(0.01, ...keys.map(({ share }) => share))
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">
        Keys <span>share of engine time and tokens a minute, last 10 min</span>
      </h2>
      {keys.length === 0 ? (
        <p class="m">Nobody has asked for anything in the last 10 min.</p>
      ) : (
        <table>
          <colgroup>
            <col style="width:104px" />
            <col style="width:36px" />
            <col style="width:46px" />
            <col style="width:88px" />
            <col style="width:50px" />
            <col />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col" class="n">
                Run
              </th>
              <th scope="col" class="n">
                Wait
              </th>
              <th scope="col" class="n">
                Share
              </th>
              <th scope="col" class="n">
                Tok/m
              </th>
              <th scope="col">
                <span class="sr">Notes</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <KeyRow key={key.key_name} of={key} most={most} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function KeyRow({
  of: { key_name, running, waiting, share, tokens, refused, late },
  most,
}: {
  readonly of: FeedKey
  readonly most: number
}): VNode {
  return (
    <tr>
      <td>
        <button type="button" class="plain" title={`Only tasks of ${key_name}`} onClick={() => go({ page: 'q', filter: key_name })}>
          <Out text={key_name} />
        </button>
      </td>
      <td class="n">{whole(running)}</td>
      <td class="n">{whole(waiting)}</td>
      <td class="n">
        <span class="bar v small" aria-hidden="true">
          <i style={{ transform: `scaleX(${share / most})` }} />
        </span>
        <span class="pc">{percent(share)}</span>
      </td>
      <td class="n">{tokens === 0 ? '—' : short(tokens / minutes)}</td>
      <td>
        {late > 0 && <span class="warn">{late} late </span>}
        {refused > 0 && <span class="warn">{refused} refused</span>}
      </td>
    </tr>
  )
}

const fewFailures = 6
/** Whether all that did not complete is shown. */
const allFailures = signal(false)

/** What did not complete lately, with why. */
export function Failures(): VNode {
  const failed = live.failed.value
  const shown = allFailures.value ? failed : failed.slice(0, fewFailures)
  const lately = failed.filter(({ finished_at }) => now.value - Date.parse(finished_at) < minutes * 60_000).length
  return (
    <section aria-labelledby="failed">
      <h2 id="failed">
        Not completed lately <span>{lately === 0 ? 'none in 10 min' : `${lately} in 10 min`}</span>
      </h2>
      <ol class="fail">
        {shown.map((ended) => (
          <Failure key={ended.task_id} ended={ended} />
        ))}
      </ol>
      {failed.length > fewFailures && (
        <button type="button" class="link" onClick={() => (allFailures.value = !allFailures.value)}>
          {allFailures.value ? 'Show fewer' : `Show ${failed.length - fewFailures} more`}
        </button>
      )}
    </section>
  )
}

function Failure({ ended }: { readonly ended: FeedEnded }): VNode {
  const { task_id, key_name, finished_at, code, message, retriable, attempts, state } = ended
  return (
    <li>
      <span class="m">{dayAndTime(Date.parse(finished_at), now.peek())}</span>
      <a href={hrefOfTask(task_id, ownerOf(key_name))}>
        <b>
          <Out text={code ?? (state === 'canceled' ? 'CANCELED' : 'FAILED')} />
        </b>
      </a>
      <span>{retriable === true ? 'may be sent again' : ''}</span>
      <p>
        <Out text={`${task_id} · ${key_name}${message === undefined ? '' : ` · ${message}`}${attempts > 1 ? `, ${attempts} runs` : ''}`} />
      </p>
    </li>
  )
}

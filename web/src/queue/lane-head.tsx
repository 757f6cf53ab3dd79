import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { now } from '../live/clock.ts'
import { live, toldAt } from '../live/store.ts'
import type { FeedPool, FeedReplica } from '../live/types.ts'
import { Bar, Out, Sign, Until } from '../out.tsx'
import { counted, percent, short, span, whole } from '../text.ts'
import { askDrain, askLoad, askReload, askResume } from './actions.ts'
import { devicesName, engineName, loadedShare, modelName, poolState, replicaState, soFar, wholeSlots } from './words.ts'

/** The head of a lane: state, model, slots, rate, what can be done, and its replicas. */
export function LaneHead({ pool }: { readonly pool: FeedPool }): VNode {
  const { pool_id, model, engine, slots, busy, waiting, tokens_per_s } = pool
  // A load goes on between two words of the daemon.
  const state = useComputed(() => poolState(pool, now.value - toldAt(pool)))
  const [all, waits] = [wholeSlots(pool), waiting.interactive + waiting.batch]
  return (
    <tr class="lane">
      <th colSpan={9} scope="rowgroup">
        <div class="lh">
          <h2>
            <Out text={pool_id} />
          </h2>
          <span class={`st ${state.value.kind}`}>
            <Sign is={state.value.sign} /> {state.value.word}
          </span>
          <span class="m" title={model}>
            <Out text={modelName(model)} /> · {engineName(engine)}
          </span>
          <span>
            {busy} of {counted(slots === 0 ? all : slots, 'slot')}
            {slots === all || slots === 0 ? '' : ` (${all} when whole)`} · {whole(waits)} waiting
            {tokens_per_s > 0 && (
              <>
                {' · '}
                <b>{short(tokens_per_s)}</b> tok/s
              </>
            )}
          </span>
          {live.viewer.value?.role === 'control' && <Actions pool={pool} />}
        </div>
        <div class="reps">
          {pool.replicas.map((replica) => (
            <Replica key={replica.replica_id} replica={replica} pool={pool} />
          ))}
          {pool.group !== undefined && pool.state === 'asleep' && (
            <span class="m">
              Shares its devices with others of <Out text={pool.group} />
              {pool.loads_by_at !== undefined && (
                <>
                  ; loads in <Until at={Date.parse(pool.loads_by_at)} /> at the latest
                </>
              )}
            </span>
          )}
        </div>
      </th>
    </tr>
  )
}

function Actions({ pool }: { readonly pool: FeedPool }): VNode {
  return (
    <span class="a">
      {pool.state === 'asleep' && (
        <button type="button" onClick={() => askLoad(pool)}>
          Load now
        </button>
      )}
      {pool.state === 'draining' ? (
        <button type="button" onClick={() => askResume(pool)}>
          Resume
        </button>
      ) : (
        <button type="button" onClick={() => askDrain(pool)}>
          Drain
        </button>
      )}
      <button type="button" onClick={() => askReload(pool)}>
        Reload
      </button>
    </span>
  )
}

function Replica({ replica, pool }: { readonly replica: FeedReplica; readonly pool: FeedPool }): VNode {
  const { replica_id, busy, slots, devices, kv, loading, restarts, restart_in_ms, last_error, state } = replica
  const { sign, word, kind } = replicaState(replica)
  const facts = [devicesName(devices), kv === undefined ? '' : `KV ${percent(kv)}`].filter((fact) => fact !== '')
  if (state === 'stopped' && pool.state === 'asleep') return <></>
  return (
    <span class={kind === 'bad' ? 'bad' : ''}>
      {loading?.expected_ms === undefined ? <Sign is={sign} kind={kind} /> : <Loading pool={pool} />} <Out text={replica_id} /> {word}
      {kind === 'ok' && ` ${busy}/${slots}`}
      {loading !== undefined && <Elapsed pool={pool} elapsed_ms={loading.elapsed_ms} expected_ms={loading.expected_ms} />}
      {restart_in_ms !== undefined && (
        <>
          , next restart in <Until at={toldAt(pool) + restart_in_ms} />
          {soFar(restarts)}
        </>
      )}
      {last_error !== undefined && kind !== 'ok' && (
        <>
          : <Out text={last_error} />
        </>
      )}{' '}
      {facts.length > 0 && <span class="m">{facts.join(' · ')}</span>}
    </span>
  )
}

const Loading = ({ pool }: { readonly pool: FeedPool }): VNode => (
  <Bar kind="l" share={useComputed(() => loadedShare(pool, now.value - toldAt(pool)) ?? 0)} />
)

function Elapsed({
  pool,
  elapsed_ms,
  expected_ms,
}: {
  readonly pool: FeedPool
  readonly elapsed_ms: number
  readonly expected_ms: number | undefined
}): VNode {
  const said = useComputed(() => span(elapsed_ms + now.value - toldAt(pool)))
  return (
    <>
      {' '}
      {said}
      {expected_ms !== undefined && ` of about ${span(expected_ms)}`}
    </>
  )
}

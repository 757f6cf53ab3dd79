import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { client } from '../session.ts'
import { ask } from '../dialog.tsx'
import { now } from '../live/clock.ts'
import type { Row } from '../live/row.ts'
import { ownerOf } from '../live/store.ts'
import type { FeedRow } from '../live/types.ts'
import { Out, Sign, Since, Until } from '../out.tsx'
import { hrefOfTask, openTask } from '../route.ts'
import { counted, percent, short, span, whole } from '../text.ts'
import { ordinal } from './words.ts'

/** Ids are long; what tells them apart stays. */
const idLength = 14
const briefly = (id: string): string => (id.length <= idLength ? id : `${id.slice(0, 8)}…${id.slice(-5)}`)

/** A task that runs. @param place its slot, in words */
export function RunningRow({ row, place }: { readonly row: Row; readonly place: string }): VNode {
  const facts = row.facts.value
  return (
    <tr class={`r${openTask.value === facts.task_id ? ' open' : ''}`} data-task={facts.task_id}>
      <td class="p run">
        <Sign is="▶" /> <Out text={place} />
      </td>
      <Whose facts={facts} />
      <td class="y">
        <Progress row={row} />
      </td>
      <td class="n s">{useComputed(() => ((row.rate.value ?? 0) > 0 ? `${short(row.rate.value ?? 0)}/s` : ''))}</td>
      <OnTime share={facts.on_time_probability} waits={false} />
      <Times facts={facts} />
      <Cancel facts={facts} where="running" />
    </tr>
  )
}

/** A task that waits. @param place how many start before it */
export function WaitingRow({ row, place }: { readonly row: Row; readonly place: number }): VNode {
  const facts = row.facts.value
  const start = row.start.value
  return (
    <tr class={`w${openTask.value === facts.task_id ? ' open' : ''}`} data-task={facts.task_id}>
      <td class="p n">{whole(place)}</td>
      <Whose facts={facts} />
      <td class="y">
        <Why facts={facts} place={place} />
      </td>
      <td class="n s">{start === undefined ? <span class="m">not known</span> : <Until at={start.at} />}</td>
      <OnTime share={start?.on_time} waits />
      <Times facts={facts} />
      <Cancel facts={facts} where={`waiting at place ${place}`} />
    </tr>
  )
}

function Whose({ facts: { task_id, session_id, key_name } }: { readonly facts: FeedRow }): VNode {
  return (
    <>
      <td class="t">
        <a href={hrefOfTask(task_id, ownerOf(key_name))} title={task_id}>
          <Out text={briefly(task_id)} />
        </a>
        <span class="ow m">
          {' '}
          <Out text={key_name} />
        </span>
      </td>
      <td class="o" title={`${key_name} ${session_id}`}>
        <Out text={key_name} />{' '}
        <i>
          <Out text={briefly(session_id)} />
        </i>
      </td>
    </>
  )
}

function Progress({ row }: { readonly row: Row }): VNode {
  const { phase, tokens_in, tokens_max, attempt } = row.facts.value
  const again = attempt > 1 ? `${ordinal(attempt)} run, ` : ''
  const share = useComputed(() => (tokens_max === undefined || tokens_max === 0 ? 0 : Math.min(1, row.out.value / tokens_max)))
  const width = useComputed(() => `transform:scaleX(${share.value.toFixed(3)})`)
  const label = useComputed(() => percent(share.value))
  const said = useComputed(() => `${whole(row.out.value)}${tokens_max === undefined ? '' : ` of ${whole(tokens_max)}`}`)
  if (phase === 'loading') return <>{again}its model is being loaded</>
  if (phase !== 'decoding')
    return (
      <>
        <span class="bar p" aria-hidden="true">
          <i />
        </span>
        {again}prefill{tokens_in === undefined ? '' : `, ${counted(tokens_in, 'token')}`}
      </>
    )
  return (
    <>
      <span class="bar" role="img" aria-label={label}>
        <i style={width} />
      </span>
      {again}decode {said}
    </>
  )
}

/** Why a task waits, in the scheduler's words with the figures of this moment. */
function Why({ facts: { waits, attempt }, place }: { readonly facts: FeedRow; readonly place: number }): VNode {
  if (waits === undefined) return <span class="m">{attempt > 1 ? `${ordinal(attempt)} run` : 'waits'}</span>
  return (
    <span title={waits.text}>
      {attempt > 1 && `${ordinal(attempt)} run: `}
      <Out text={waits.text} />
      {place > 0 && `, ${whole(place)} ahead`}
    </span>
  )
}

/** Chance to be in time. @param waits whether a small one is to be seen */
function OnTime({ share, waits }: { readonly share: number | undefined; readonly waits: boolean }): VNode {
  return (
    <td class="n ot">
      {share === undefined ? (
        <span class="m">{waits ? 'not known' : ''}</span>
      ) : share < 0.1 ? (
        <b class="bad">late {percent(share)}</b>
      ) : share < 0.5 ? (
        <b class="warn">late? {percent(share)}</b>
      ) : (
        percent(share)
      )}
    </td>
  )
}

function Times({ facts: { accepted_at, deadline_at } }: { readonly facts: FeedRow }): VNode {
  const deadline = Date.parse(deadline_at)
  return (
    <>
      <td class="n ag">
        <Since at={Date.parse(accepted_at)} />
      </td>
      <td class="n dl">{useComputed(() => (deadline > now.value ? span(deadline - now.value) : 'over'))}</td>
    </>
  )
}

const Cancel = ({ facts, where }: { readonly facts: FeedRow; readonly where: string }): VNode => (
  <td class="c">
    <button class="x" type="button" aria-label={`Cancel ${facts.task_id}`} onClick={() => askCancel(facts.task_id, facts.key_name, where)}>
      ✕
    </button>
  </td>
)

/** Asks whether a task is to be canceled. @param where `running`, or at which place it waits */
export function askCancel(task_id: string, key_name: string, where: string): void {
  ask({
    title: `Cancel ${task_id}?`,
    lines: [
      `It is ${where} and belongs to ${key_name}.`,
      'Its reader gets CANCELED, and no token after that.',
      'What was generated stays in the transcript.',
    ],
    go: 'Cancel task',
    run: () => client.peek().tasks.cancel(task_id, { owner: ownerOf(key_name) }),
  })
}

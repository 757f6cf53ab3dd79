import type { VNode } from 'preact'
import type { Row } from '../live/row.ts'
import type { Task } from '../live/types.ts'
import { Out, Since, Sign, Until } from '../out.tsx'
import { counted, percent, span, timeOfDay, whole } from '../text.ts'

interface SayProps {
  readonly task: Task
  readonly row: Row | undefined
  /** When it should start while it waits, ms since 1970. */
  readonly start_at: number | undefined
}

/** One sentence: how it stands, when something follows, and why. */
export function Say({ task, row, start_at }: SayProps): VNode {
  switch (task.state) {
    case 'queued':
      return <Waits task={task} row={row} start_at={start_at} />
    case 'running':
      return <Runs task={task} row={row} />
    case 'completed':
    case 'failed':
    case 'canceled':
      return <Ended task={task} />
  }
}

function Waits({ task, row, start_at }: SayProps): VNode {
  const facts = row?.facts.value
  const on_time = row?.start.value?.on_time
  const waits = facts?.waits ?? task.waits
  return (
    <p class="say">
      {start_at === undefined ? (
        <b>When it starts is not known</b>
      ) : (
        <b>
          Starts in about <Until at={start_at} />
        </b>
      )}{' '}
      in <Out text={task.pool_id} />
      {task.queue_position !== undefined && `, place ${whole(task.queue_position)}`}.{' '}
      {waits !== undefined && (
        <>
          Why: <Out text={waits.text} />
          {waits.ahead !== undefined &&
            waits.ahead > 0 &&
            `, and ${counted(waits.ahead, 'task')} ${waits.ahead === 1 ? 'is' : 'are'} ahead`}
          .{' '}
        </>
      )}
      {on_time !== undefined && facts !== undefined && (
        <>
          <b class={on_time < 0.1 ? 'bad' : on_time < 0.5 ? 'warn' : ''}>{percent(on_time)}</b> to meet its deadline at{' '}
          {timeOfDay(Date.parse(facts.deadline_at))}.
        </>
      )}
    </p>
  )
}

function Runs({ task, row }: { readonly task: Task; readonly row: Row | undefined }): VNode {
  const facts = row?.facts.value
  const [out, max, rate] = [row?.out.value ?? task.tokens_out ?? 0, facts?.tokens_max, row?.rate.value]
  const left = max === undefined || rate === undefined || rate <= 0 ? undefined : ((max - out) / rate) * 1000
  return (
    <p class="say">
      <b>Runs</b> on <Out text={`${task.pool_id}/${task.replica_id ?? ''}`} />
      {task.started_at !== undefined && (
        <>
          {' '}
          for <Since at={Date.parse(task.started_at)} />
        </>
      )}
      {facts?.phase === 'decoding'
        ? `: ${whole(out)}${max === undefined ? '' : ` of at most ${whole(max)}`} tokens`
        : `: ${facts?.phase ?? 'running'}`}
      {left !== undefined && `, at this rate at most ${span(left)} more`}.
      {facts?.on_time_probability !== undefined &&
        ` ${percent(facts.on_time_probability)} to meet its deadline at ${timeOfDay(Date.parse(facts.deadline_at))}.`}
    </p>
  )
}

const finishes: Readonly<Record<string, string>> = {
  stop: 'it came to its end',
  length: 'it reached its most tokens',
  tool_calls: 'it calls tools',
}

function Ended({ task: { state, error, accepted_at, finished_at = '', tokens_out, finish_reason } }: { readonly task: Task }): VNode {
  const took = span(Date.parse(finished_at) - Date.parse(accepted_at))
  if (state === 'completed')
    return (
      <p class="say">
        <Sign is="●" kind="ok" /> <b>Completed</b> at {timeOfDay(Date.parse(finished_at))} after {took}
        {tokens_out !== undefined && `, ${counted(tokens_out, 'token')}`}
        {finish_reason !== undefined && `: ${finishes[finish_reason] ?? finish_reason}`}.
      </p>
    )
  return (
    <p class="say">
      <Sign is="✕" kind="bad" />{' '}
      <b class="bad">
        <Out text={error?.code ?? state.toUpperCase()} />
      </b>{' '}
      at {timeOfDay(Date.parse(finished_at))} after {took}
      {error !== undefined && (
        <>
          : <Out text={error.message} /> {error.retriable ? 'It may be sent again.' : ''}
        </>
      )}
    </p>
  )
}

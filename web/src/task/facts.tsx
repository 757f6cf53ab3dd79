import type { VNode } from 'preact'
import type { Row } from '../live/row.ts'
import { live } from '../live/store.ts'
import type { Task } from '../live/types.ts'
import { Out } from '../out.tsx'
import { counted, timeOfDay, whole } from '../text.ts'

interface FactsProps {
  readonly task: Task
  readonly row: Row | undefined
  readonly owner: string | undefined
}

const bases: Readonly<Record<string, string>> = {
  ...{
    history: 'what such tasks took before',
    running: 'how fast those that run are',
    probe: 'a probe of the engine',
    assumed: 'assumptions: nothing has run yet',
  },
}

/** Whose it is, what was asked and what it got. */
export function Facts({ task, row, owner }: FactsProps): VNode {
  const facts = row?.facts.value
  const asked = [task.model_ref, task.priority, task.workload === 'completion' ? '' : task.workload]
  if (facts?.tokens_max !== undefined) asked.push(`at most ${counted(facts.tokens_max, 'token')}`)
  const prompt = task.tokens_in ?? facts?.tokens_in
  const basis = task.state === 'queued' ? facts?.prediction_basis : undefined
  const labels = Object.entries(task.metadata ?? {})
  return (
    <dl class="f">
      <Fact name="Owner" text={`${owner ?? task.owner ?? live.viewer.value?.key_name ?? ''} · session ${task.session_id}`} />
      <Fact name="Asked" text={asked.filter((part) => part !== '').join(' · ')} />
      {prompt !== undefined && <Fact name="Prompt" text={counted(prompt, 'token')} />}
      {task.tokens_out !== undefined && <Fact name="Answer" text={counted(task.tokens_out, 'token')} />}
      {basis !== undefined && <Fact name="Prediction" text={`rests on ${bases[basis] ?? basis}`} />}
      <Fact name="Seed" text={String(task.seed)} />
      {labels.length > 0 && <Fact name="Labels" text={labels.map(([name, value]) => `${name}: ${value}`).join(', ')} />}
    </dl>
  )
}

const Fact = ({ name, text }: { readonly name: string; readonly text: string }): VNode => (
  <>
    <dt>{name}</dt>
    <dd>
      <Out text={text} />
    </dd>
  </>
)

interface Happened {
  readonly at: string
  readonly what: string
  readonly bad?: boolean
}

/** What happened to it, with times. */
export function Events({ task }: { readonly task: Task }): VNode {
  const happened: Happened[] = [
    { at: task.accepted_at, what: 'accepted' },
    ...(task.attempts ?? []).flatMap(({ n, replica_id, started_at, ended_at, code, message }) => [
      { at: started_at, what: `run ${n} on ${replica_id}` },
      ...(code === undefined || ended_at === undefined ? [] : [{ at: ended_at, what: `✕ run ${n} ended: ${message ?? code}`, bad: true }]),
    ]),
    ...(task.finished_at === undefined ? [] : [{ at: task.finished_at, what: endOf(task), bad: task.state === 'failed' }]),
  ]
  return (
    <ol class="ev">
      {happened.map(({ at, what, bad }, i) => (
        <li key={i}>
          <span class="m">{timeOfDay(Date.parse(at))}</span>
          <span class={bad === true ? 'bad' : ''}>
            <Out text={what} />
          </span>
        </li>
      ))}
    </ol>
  )
}

function endOf({ state, tokens_in, tokens_out }: Task): string {
  const tokens = tokens_out === undefined ? '' : `, ${whole(tokens_in ?? 0)} tokens in and ${whole(tokens_out)} out`
  return `${state}${tokens}`
}

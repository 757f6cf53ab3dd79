import type { VNode } from 'preact'
import { now } from '../live/clock.ts'
import { live, ownerOf } from '../live/store.ts'
import type { Task } from '../live/types.ts'
import { Out, Sign } from '../out.tsx'
import { filter, go, hrefOfTask, route } from '../route.ts'
import { client } from '../session.ts'
import { dayAndTime, span, whole } from '../text.ts'
import { Columns, ListEnd, ListPage } from './list.tsx'
import { usePaged } from './paged.ts'

const page_rows = 50
const states = ['queued', 'running', 'completed', 'failed', 'canceled'] as const

/** What of a route is asked of the list; fields that are empty are left out. */
function queryOf(more: Readonly<Record<string, string>>, task_id: string) {
  const given = (name: string): string | undefined => (more[name] === undefined || more[name] === '' ? undefined : more[name])
  const time = (name: string): string | undefined => {
    const at = Date.parse(given(name) ?? '')
    return Number.isNaN(at) ? undefined : new Date(at).toISOString()
  }
  const state = states.find((one) => one === given('state'))
  const fields = {
    ...{ task_id: task_id === '' ? undefined : task_id, code: given('code'), owner: given('key'), session_id: given('session') },
    ...{ pool_id: given('pool'), from: time('from'), to: time('to') },
  }
  const set = Object.entries(fields).filter(([, value]) => value !== undefined)
  return { ...(state === undefined ? {} : { state }), ...(Object.fromEntries(set) as { [K in keyof typeof fields]?: string }) }
}

/** Tasks of all states, newest first, as the fields above them ask. */
export function History(): VNode {
  const query = queryOf(route.value.more, filter.value)
  const list = usePaged<Task>(JSON.stringify(query), async (cursor, signal) => {
    const asked = { ...query, limit: page_rows, ...(cursor === undefined ? {} : { cursor }) } as Parameters<
      typeof client.value.tasks.list
    >[0]
    const { tasks, next_cursor } = await client.peek().tasks.list(asked, { signal })
    return { items: tasks, next_cursor }
  })
  return (
    <ListPage title="History">
      <Fields />
      <table class="list">
        <Columns names={['Accepted', 'Task', 'Key, session', 'Model, pool', 'How it ended', '>Took', '>Tokens in', '>out']} />
        <tbody>
          {list.items.map((task) => (
            <TaskRow key={`${task.owner ?? ''}/${task.task_id}`} task={task} />
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none="No task is like that." />
    </ListPage>
  )
}

const set = (name: string, value: string): void => go({ more: { ...route.peek().more, [name]: value } }, true)

function Fields(): VNode {
  const { more } = route.value
  return (
    <form class="fields" aria-label="Which tasks" onSubmit={(event) => event.preventDefault()}>
      <label>
        State{' '}
        <select value={more['state'] ?? ''} onChange={({ currentTarget }) => set('state', currentTarget.value)}>
          <option value="">any</option>
          {states.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <label>
        Pool{' '}
        <select value={more['pool'] ?? ''} onChange={({ currentTarget }) => set('pool', currentTarget.value)}>
          <option value="">any</option>
          {live.pools.value.map(({ pool_id }) => (
            <option key={pool_id}>{pool_id}</option>
          ))}
        </select>
      </label>
      <Field name="code" title="Code" />
      {live.viewer.value?.role === 'control' && <Field name="key" title="Key" />}
      <Field name="session" title="Session" />
      <TimeField name="from" title="From" />
      <TimeField name="to" title="To" />
      <span class="m">The filter above is the beginning of a task's id.</span>
    </form>
  )
}

interface FieldProps {
  readonly name: string
  readonly title: string
}

const Field = ({ name, title }: FieldProps): VNode => (
  <label>
    {title} <input size={12} value={route.value.more[name] ?? ''} onChange={({ currentTarget }) => set(name, currentTarget.value.trim())} />
  </label>
)

const TimeField = ({ name, title }: FieldProps): VNode => (
  <label>
    {title}{' '}
    <input type="datetime-local" value={route.value.more[name] ?? ''} onChange={({ currentTarget }) => set(name, currentTarget.value)} />
  </label>
)

function TaskRow({ task }: { readonly task: Task }): VNode {
  const { task_id, owner, session_id, model_ref, pool_id, accepted_at, finished_at, tokens_in, tokens_out } = task
  const key_name = owner ?? live.viewer.value?.key_name ?? ''
  return (
    <tr class="w" data-task={task_id}>
      <td class="m">{dayAndTime(Date.parse(accepted_at), now.peek())}</td>
      <td class="t">
        <a href={hrefOfTask(task_id, ownerOf(key_name))}>
          <Out text={task_id} />
        </a>
      </td>
      <td>
        <Out text={key_name} />{' '}
        <i>
          <Out text={session_id} />
        </i>
      </td>
      <td>
        <Out text={model_ref} />{' '}
        <i>
          <Out text={pool_id} />
        </i>
      </td>
      <td>
        <Ended task={task} />
      </td>
      <td class="n">{span((finished_at === undefined ? now.value : Date.parse(finished_at)) - Date.parse(accepted_at))}</td>
      <td class="n">{tokens_in === undefined ? '—' : whole(tokens_in)}</td>
      <td class="n">{tokens_out === undefined ? '—' : whole(tokens_out)}</td>
    </tr>
  )
}

function Ended({ task: { state, error, finish_reason } }: { readonly task: Task }): VNode {
  switch (state) {
    case 'queued':
      return <span class="m">waits</span>
    case 'running':
      return (
        <span class="run">
          <Sign is="▶" /> running
        </span>
      )
    case 'completed':
      return (
        <>
          <Sign is="●" kind="ok" /> completed{finish_reason === undefined || finish_reason === 'stop' ? '' : `, ${finish_reason}`}
        </>
      )
    case 'failed':
    case 'canceled':
      return (
        <span class="bad" title={error?.message}>
          <Sign is="✕" /> <Out text={error?.code ?? state} /> {error !== undefined && <Out text={error.message} />}
        </span>
      )
  }
}

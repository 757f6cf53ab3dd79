import type { VNode } from 'preact'
import { ask } from '../dialog.tsx'
import { daemonTime } from '../live/clock.ts'
import { live, ownerOf } from '../live/store.ts'
import type { ListedSession } from '../live/types.ts'
import { Out, Since } from '../out.tsx'
import { filter, hashOf } from '../route.ts'
import { client } from '../session.ts'
import { counted, seconds, span, whole } from '../text.ts'
import { Columns, ListEnd, ListPage } from './list.tsx'
import { usePaged } from './paged.ts'

const page_rows = 100

/** Sessions that live, newest first: whose, how old, what is left of their budgets, and where they are warm. */
export function Sessions(): VNode {
  const list = usePaged<ListedSession>('', async (cursor, signal) => {
    const { sessions, next_cursor } = await client
      .peek()
      .sessions.list({ limit: page_rows, ...(cursor === undefined ? {} : { cursor }) }, { signal })
    return { items: sessions, next_cursor }
  })
  const wanted = filter.value.toLowerCase()
  const shown = list.items.filter(({ session_id, owner = '' }) => `${session_id} ${owner}`.toLowerCase().includes(wanted))
  return (
    <ListPage title="Sessions">
      <table class="list">
        <Columns names={['Session', 'Key', '>Age', '>Expires in', '>Turns', '>Live tasks', 'Left of budgets', 'Warm on', '']} />
        <tbody>
          {shown.map((session) => (
            <SessionRow key={`${session.owner ?? ''}/${session.session_id}`} session={session} onGone={list.again} />
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none="No session lives." />
    </ListPage>
  )
}

function SessionRow({ session, onGone }: { readonly session: ListedSession; readonly onGone: () => void }): VNode {
  const { session_id, owner, created_at, ttl_ms_remaining, turns, tasks, warm_on } = session
  const key_name = owner ?? live.viewer.value?.key_name ?? ''
  return (
    <tr class="w">
      <td class="t">
        <a href={hashOf({ page: 'h', task: undefined, owner: undefined, filter: '', more: { session: session_id } })} title="Its tasks">
          <Out text={session_id} />
        </a>
      </td>
      <td>
        <Out text={key_name} />
      </td>
      <td class="n">
        <Since at={Date.parse(created_at)} />
      </td>
      <td class="n">{span(ttl_ms_remaining)}</td>
      <td class="n">{whole(turns)}</td>
      <td class="n">{whole(tasks)}</td>
      <td>{budgetWords(session)}</td>
      <td>
        {warm_on.length === 0 ? (
          <span class="m">nowhere</span>
        ) : (
          <Out text={warm_on.map(({ pool_id, replica_id }) => `${pool_id}/${replica_id}`).join(', ')} />
        )}
      </td>
      <td class="n">
        <button
          type="button"
          class="danger"
          aria-label={`Delete session ${session_id}`}
          onClick={() => askDelete(session, key_name, onGone)}
        >
          Delete
        </button>
      </td>
    </tr>
  )
}

function budgetWords({ tokens_budget_remaining, time_budget_remaining_ms, cost_budget_remaining }: ListedSession): string {
  const left = [
    tokens_budget_remaining === undefined ? '' : counted(tokens_budget_remaining, 'token'),
    time_budget_remaining_ms === undefined ? '' : `${seconds(time_budget_remaining_ms)} of engine time`,
    cost_budget_remaining === undefined ? '' : `${cost_budget_remaining.toFixed(2)} of money`,
  ].filter((part) => part !== '')
  return left.length === 0 ? 'no limit' : left.join(', ')
}

function askDelete({ session_id, tasks, created_at }: ListedSession, key_name: string, onGone: () => void): void {
  ask({
    title: `Delete session ${session_id}?`,
    lines: [
      `It belongs to ${key_name} and is ${span(daemonTime() - Date.parse(created_at))} old.`,
      tasks === 0
        ? 'None of its tasks waits or runs.'
        : `${counted(tasks, 'task')} of it ${tasks === 1 ? 'waits or runs and is' : 'wait or run and are'} canceled.`,
      'Its budgets and what engines keep for it are forgotten; the history of its tasks stays.',
    ],
    go: 'Delete session',
    run: async () => {
      await client.peek().sessions.delete(session_id, { owner: ownerOf(key_name) })
      onGone()
    },
  })
}

import type { ComponentChildren, VNode } from 'preact'
import { openTask, route } from '../route.ts'
import { Out } from '../out.tsx'
import { Panel } from '../task/panel.tsx'
import type { Paged } from './paged.ts'

/** A page with a list, and beside it the panel of the task that is open. */
export function ListPage({ title, children }: { readonly title: string; readonly children: ComponentChildren }): VNode {
  const task = openTask.value
  return (
    <main class={`cols${task === undefined ? ' wide' : ''}`}>
      <div id="content" class="page" tabIndex={-1}>
        <h2 class="sr">{title}</h2>
        {children}
      </div>
      {task !== undefined && (
        <aside aria-label="The task chosen">
          <Panel key={task} task_id={task} owner={route.value.owner} />
        </aside>
      )}
    </main>
  )
}

/** What stands below a list: how to read on, or why it could not be read. */
export function ListEnd({ list, none }: { readonly list: Paged<unknown>; readonly none: string }): VNode {
  return (
    <p class="end">
      {list.state === 'reading' && <span class="m">Reading.</span>}
      {list.state === 'failed' && (
        <span class="bad" role="alert">
          <Out text={list.failed} />{' '}
        </span>
      )}
      {list.state === 'all' && list.items.length === 0 && <span class="m">{none}</span>}
      {list.state === 'more' && (
        <button type="button" onClick={list.more}>
          Show more
        </button>
      )}
      {(list.state === 'failed' || list.state === 'all') && (
        <button type="button" onClick={list.again}>
          Read again
        </button>
      )}
    </p>
  )
}

/** A head of columns; those that begin with `>` are figures, to the right, and one without a name is of buttons. */
export function Columns({ names }: { readonly names: readonly string[] }): VNode {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col" class={name.startsWith('>') ? 'n' : ''}>
            {name === '' ? <span class="sr">What can be done</span> : name.replace('>', '')}
          </th>
        ))}
      </tr>
    </thead>
  )
}

import type { VNode } from 'preact'
import { live } from '../live/store.ts'
import { useAsked } from '../pages/asked.ts'
import { filter, openTask, route } from '../route.ts'
import { client } from '../session.ts'
import { Panel } from '../task/panel.tsx'
import { shown } from '../text.ts'
import { Alarms } from './alarms.tsx'
import { Devices, Failures, Keys } from './beside.tsx'
import { Charts } from './charts.tsx'
import { Figures } from './figures.tsx'
import { Lane } from './lane.tsx'
import { sendingLine } from './words.ts'

/** The queue: what runs and what waits, why and until when, and beside it who holds what. */
export function Queue(): VNode {
  const viewer = live.viewer.value
  return (
    <main>
      <Figures />
      <Alarms />
      <div class="cols">
        <div id="content" tabIndex={-1}>
          <Table />
          <Idle />
        </div>
        <aside aria-label="Beside the queue">
          {openTask.value !== undefined && <Panel key={openTask.value} task_id={openTask.value} owner={route.value.owner} />}
          {viewer?.role === 'control' && <Devices />}
          <Keys />
          <Failures />
          <Charts />
        </aside>
      </div>
    </main>
  )
}

const widths = [58, 116, 150, undefined, 100, 92, 54, 86, 32]

/** Heads of the columns, what each means where the name does not say all of it, and whether it is one of figures. */
const heads: readonly (readonly [name: string, hint: string, figure: boolean])[] = [
  ['Place', 'Where it runs, or how many tasks start before it', true],
  ['Task', '', false],
  ['Key, session', '', false],
  ['How far, or why it waits', '', false],
  ['Rate / start in', 'Tokens a second, or the time until it is expected to start in minutes and seconds', true],
  ['On time', 'Chance that it ends before its deadline', true],
  ['Age', 'Since it was accepted, in minutes and seconds', true],
  ['Deadline in', 'Minutes and seconds', true],
]

function Table(): VNode {
  return (
    <table class="lanes">
      <caption class="sr">Running and waiting tasks by pool, in the order they will start</caption>
      <colgroup>
        {widths.map((width, i) => (
          <col key={i} {...(width === undefined ? {} : { style: { width: `${width}px` } })} />
        ))}
      </colgroup>
      <thead>
        <tr>
          {heads.map(([name, hint, figure]) => (
            <th key={name} scope="col" {...(hint === '' ? {} : { title: hint })} {...(figure ? { class: 'n' } : {})}>
              {name}
            </th>
          ))}
          <th scope="col">
            <span class="sr">Cancel</span>
          </th>
        </tr>
      </thead>
      {live.pools.value.map((pool) => (
        <Lane key={pool.pool_id} pool={pool} />
      ))}
    </table>
  )
}

/** With nothing to do: a line that fills the queue. */
function Idle(): VNode | null {
  const { value } = useAsked((signal) => client.peek().capabilities({ signal }))
  const busy = live.running_total.value + live.pools.value.reduce((sum, { waiting }) => sum + waiting.interactive + waiting.batch, 0)
  if (busy > 0 || filter.value !== '') return null
  const models = value?.models ?? []
  const model = models.length > 1 ? (models.find(({ ready }) => ready) ?? models[0])?.name : undefined
  return (
    <div class="idle">
      <p>Nothing runs and nothing waits. This sends a task:</p>
      <pre tabIndex={0}>{shown(sendingLine(location.origin, model))}</pre>
    </div>
  )
}

import type { Page } from 'playwright-core'
import type { PageRig } from '../harness/page.ts'

/** A task that waits, as somebody reads it or as the daemon lists it. */
interface Waits {
  readonly place: string
  readonly task_id: string
  readonly whose: string
  readonly why: string
  readonly ahead: string
}

/** What stands in the lane of a pool. */
export interface SeenLane {
  readonly pool_id: string
  /** Each with its replica, where the pool has several. */
  readonly running: readonly string[]
  /** The first that wait, in their order. */
  readonly waiting: readonly Waits[]
  /** Places of the others, `8 to 11`; nothing where all are shown. */
  readonly behind: string
}

/** What a page says of the queue. */
export interface Seen {
  readonly lanes: readonly SeenLane[]
  /** Tasks that a restart would keep, go on with, run again and lose. */
  readonly restart: readonly number[]
}

/** Waiting rows that a lane shows by itself. */
const shownRows = 8

const script = `(() => {
  const text = (found) => (found?.innerText ?? '').replace(/\\s+/g, ' ').trim()
  const rows = (lane, of) => [...lane.querySelectorAll(of)]
  const figure = (pattern) => Number(pattern.exec(text(document.querySelector('.now dd.s')))?.[1] ?? 0)
  return {
    lanes: [...document.querySelectorAll('table.lanes tbody')].map((lane) => ({
      pool_id: lane.id.slice('pool-'.length),
      running: rows(lane, 'tr.r[data-task]').map((row) => row.dataset.task + ' ' + text(row.querySelector('td.p')).replace(/^▶ /, '')),
      waiting: rows(lane, 'tr.w[data-task]').map((row) => {
        const why = text(row.querySelector('td.y'))
        return {
          place: text(row.querySelector('td.p')),
          task_id: row.dataset.task,
          whose: row.querySelector('td.o').title,
          why: why.replace(/^\\d+.. run: /, '').replace(/, [\\d,]+ ahead$/, ''),
          ahead: /, ([\\d,]+) ahead$/.exec(why)?.[1] ?? '0',
        }
      }),
      behind: /places ([\\d,]+ to [\\d,]+)/.exec(text(lane.querySelector('tr.more')))?.[1] ?? '',
    })),
    restart: [/([\\d,]+) waiting (?:is|are) kept/, /(\\d+) goe?s? on/, /(\\d+) runs? again/, /(\\d+) (?:is|are) lost/].map(figure),
  }
})()`

/** Reads the page as it is now. */
export const read = (page: Page): Promise<Seen> => page.evaluate<Seen>(script)

interface Entry {
  readonly task_id: string
  readonly session_id: string
  readonly state: 'running' | 'queued'
  readonly owner: string
  readonly queue_position?: number
  readonly replica_id?: string
  readonly waits?: { readonly text: string }
}

/** What the listings of the queues say, and the rule of recovery, of the same moment. @param pools ids in the order of the configuration, and their replicas */
export async function told(rig: PageRig, pools: readonly { readonly id: string; readonly replicas: number }[]): Promise<Seen> {
  const lanes = await Promise.all(
    pools.map(async ({ id, replicas }) => {
      const { entries } = (await rig.ask(`/v1/pools/${id}/queue?limit=200`)).json as unknown as { readonly entries: readonly Entry[] }
      const waiting = entries.filter(({ state }) => state === 'queued')
      return {
        pool_id: id,
        running: entries
          .filter(({ state }) => state === 'running')
          .map(({ task_id, replica_id = '' }) => `${task_id}${replicas < 2 ? '' : ` ${replica_id}`}`),
        waiting: waiting.slice(0, shownRows).map(({ task_id, session_id, owner, queue_position = -1, waits }) => ({
          ...{
            place: String(queue_position),
            task_id,
            whose: `${owner} ${session_id}`,
            why: waits?.text ?? 'waits',
            ahead: String(queue_position),
          },
        })),
        behind: waiting.length > shownRows ? `${shownRows} to ${waiting.length - 1}` : '',
      }
    }),
  )
  const { waiting_kept, running_continue, running_rerun, running_lost } = rig.daemon.restart()
  return { lanes, restart: [waiting_kept, running_continue, running_rerun, running_lost] }
}

/** A page's words as they can be compared with the listing, which knows no slots: only the replica of a place, and no order among those that run. */
export const comparable = ({ lanes, restart }: Seen): Seen => ({
  lanes: lanes.map(({ running, ...lane }) => ({ ...lane, running: running.map((one) => one.replace(/ (\D*)\d+$/, ' $1').trim()).sort() })),
  restart,
})

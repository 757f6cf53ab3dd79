import { Option, type Command } from 'commander'
import type { Client, components } from '../../sdk/src/index.ts'
import { asking, clientOf, pointInTime, wholeNumber, type Asking } from '../common/command.ts'
import { note, sayJson, sayTable, say, shown, spanText } from '../common/output.ts'

type Task = components['schemas']['Task']
type Query = NonNullable<Parameters<Client['tasks']['list']>[0]>

interface Options extends Asking {
  readonly state?: Task['state']
  readonly session?: string
  readonly owner?: string
  readonly pool?: string
  readonly code?: Query['code']
  readonly id?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly cursor?: string
}

const states = ['queued', 'running', 'completed', 'failed', 'canceled'] satisfies Task['state'][]

/** `tasks`: those of the key, newest first, or one of them. */
export const tasks = (): Command =>
  asking('tasks [id]', 'List tasks, newest first, or show one; a key with the role control sees those of every key', [
    'orchestratord tasks --limit 20',
    'orchestratord tasks --state queued --pool mock --json',
    'orchestratord tasks --code WORKER_RESET --from 2026-01-01 --to 2026-01-02',
    'orchestratord tasks --owner agents --id nightly-',
    'orchestratord tasks fox-1',
  ])
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--session <id>', 'only those of this session')
    .option('--owner <key>', 'only those of this key, by its name')
    .option('--pool <id>', 'only those that are in this pool, or were when they ended')
    .option('--code <code>', 'only those that ended with this error')
    .option('--id <beginning>', 'only those whose id begins so')
    .option('--from <time>', 'only those accepted then or later', pointInTime)
    .option('--to <time>', 'only those accepted before', pointInTime)
    .option('--limit <number>', 'most that are listed', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the page begins, as the page before says')
    .action(async (id: string | undefined, options: Options) => {
      const client = clientOf(options)
      if (id !== undefined) {
        show(await client.tasks.get(id, { owner: options.owner }), options)
        return
      }
      const { state, session, owner, pool, code, id: task_id, from, to, limit, cursor } = options
      const page = await client.tasks.list({
        limit,
        ...(state === undefined ? {} : { state }),
        ...(session === undefined ? {} : { session_id: session }),
        ...(owner === undefined ? {} : { owner }),
        ...(pool === undefined ? {} : { pool_id: pool }),
        ...(code === undefined ? {} : { code }),
        ...(task_id === undefined ? {} : { task_id }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      if (options.json === true) {
        sayJson(page)
        return
      }
      sayTable(['TASK', 'STATE', 'OWNER', 'MODEL', 'POOL', 'PRIORITY', 'AGE', 'PLACE', 'TOKENS'], page.tasks.map(rowOf), 'no tasks')
      if (page.next_cursor !== undefined) note(`more: --cursor ${page.next_cursor}`)
    })

function rowOf(task: Task): string[] {
  return [
    task.task_id,
    task.state,
    task.owner ?? '-',
    task.model_ref,
    task.pool_id,
    task.priority,
    spanText(Math.max(0, Date.now() - Date.parse(task.accepted_at))),
    task.queue_position === undefined ? '-' : String(task.queue_position),
    task.tokens_out === undefined ? '-' : String(task.tokens_out),
  ].map(shown)
}

function show(task: Task, { json }: Options): void {
  if (json === true) {
    sayJson(task)
    return
  }
  for (const [name, value] of Object.entries(task))
    say(`${name.padEnd(20)} ${shown(typeof value === 'string' ? value : JSON.stringify(value))}`)
}

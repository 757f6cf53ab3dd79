import { Option, type Command } from 'commander'
import type { components } from '../../sdk/src/index.ts'
import { asking, clientOf, wholeNumber, type Asking } from '../common/command.ts'
import { note, sayJson, sayTable, say, shown, spanText } from '../common/output.ts'

type Task = components['schemas']['Task']

interface Options extends Asking {
  readonly state?: Task['state']
  readonly session?: string
  readonly limit: number
  readonly cursor?: string
}

const states = ['queued', 'running', 'completed', 'failed', 'canceled'] satisfies Task['state'][]

/** `tasks`: those of the key, newest first, or one of them. */
export const tasks = (): Command =>
  asking('tasks [id]', 'List tasks, newest first, or show one; a key with the role control sees those of every key', [
    'orchestratord tasks --limit 20',
    'orchestratord tasks --state queued --json',
    'orchestratord tasks fox-1',
  ])
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--session <id>', 'only those of this session')
    .option('--limit <number>', 'most that are listed', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the page begins, as the page before says')
    .action(async (id: string | undefined, options: Options) => {
      const client = clientOf(options)
      if (id !== undefined) {
        show(await client.tasks.get(id), options)
        return
      }
      const { state, session, limit, cursor } = options
      const page = await client.tasks.list({
        limit,
        ...(state === undefined ? {} : { state }),
        ...(session === undefined ? {} : { session_id: session }),
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

import type { Command } from 'commander'
import type { components } from '../../sdk/src/index.ts'
import { asking, clientOf, wholeNumber, type Asking } from '../common/command.ts'
import { note, sayJson, sayTable, say, shown, spanText } from '../common/output.ts'

type Session = components['schemas']['ListedSession']

interface Options extends Asking {
  readonly owner?: string
  readonly limit: number
  readonly cursor?: string
}

/** `sessions`: those of the key, newest first, or what is left of one. */
export const sessions = (): Command =>
  asking('sessions [id]', 'List sessions, newest first, or show what is left of one; a key with the role control sees those of every key', [
    'orchestratord sessions --limit 20',
    'orchestratord sessions --owner agents --json',
    'orchestratord sessions chat-1',
  ])
    .option('--owner <key>', 'only those of this key, by its name')
    .option('--limit <number>', 'most that are listed', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the page begins, as the page before says')
    .action(async (id: string | undefined, { owner, limit, cursor, ...options }: Options) => {
      const client = clientOf(options)
      if (id !== undefined) {
        const info = await client.sessions.get(id, { owner })
        if (options.json === true) sayJson(info)
        else for (const [name, value] of Object.entries(info)) say(`${name.padEnd(24)} ${shown(String(value))}`)
        return
      }
      const page = await client.sessions.list({
        limit,
        ...(owner === undefined ? {} : { owner }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      if (options.json === true) {
        sayJson(page)
        return
      }
      sayTable(['SESSION', 'OWNER', 'AGE', 'LEFT', 'TURNS', 'TASKS', 'TOKENS LEFT', 'WARM ON'], page.sessions.map(rowOf), 'no sessions')
      if (page.next_cursor !== undefined) note(`more: --cursor ${page.next_cursor}`)
    })

const rowOf = (session: Session): string[] =>
  [
    session.session_id,
    session.owner ?? '-',
    spanText(Math.max(0, Date.now() - Date.parse(session.created_at))),
    spanText(session.ttl_ms_remaining),
    String(session.turns),
    String(session.tasks),
    String(session.tokens_budget_remaining ?? '-'),
    session.warm_on.map(({ pool_id, replica_id }) => `${pool_id}/${replica_id}`).join(' ') || '-',
  ].map(shown)

import type { Command } from 'commander'
import { asking, clientOf, wholeNumber, type Asking } from '../common/command.ts'
import { note, sayJson, sayTable, shown } from '../common/output.ts'

interface Options extends Asking {
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly cursor?: string
}

/** `usage`: what keys have used. */
export const usage = (): Command =>
  asking('usage', 'Show what keys have used, by model and day (UTC), newest first; a key with the role control sees every key', [
    'orchestratord usage',
    'orchestratord usage --from 2026-01-01 --to 2026-01-31 --json',
  ])
    .option('--from <day>', 'the first day')
    .option('--to <day>', 'the last day')
    .option('--limit <number>', 'most lines', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the page begins, as the page before says')
    .action(async ({ from, to, limit, cursor, ...options }: Options) => {
      const page = await clientOf(options).usage({
        limit,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      if (options.json === true) {
        sayJson(page)
        return
      }
      const rows = page.usage.map((one) => [
        ...[one.day, one.key, one.model_ref].map(shown),
        ...[one.tasks, one.tokens_in, one.tokens_in_cached, one.tokens_out, one.cost, one.refusals].map(String),
      ])
      sayTable(['DAY', 'KEY', 'MODEL', 'TASKS', 'TOKENS IN', 'CACHED', 'TOKENS OUT', 'COST', 'REFUSED'], rows, 'nothing was used')
      if (page.next_cursor !== undefined) note(`more: --cursor ${page.next_cursor}`)
    })

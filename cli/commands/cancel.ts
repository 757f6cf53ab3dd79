import type { Command } from 'commander'
import { asking, clientOf, type Asking } from '../common/command.ts'
import { say, sayJson } from '../common/output.ts'

/** `cancel`: after it no reader gets one more token of them. */
export const cancel = (): Command =>
  asking('cancel <id...>', 'Cancel tasks; one that has ended stays as it is', [
    'orchestratord cancel fox-1',
    'orchestratord cancel fox-1 fox-2',
    'orchestratord cancel fox-1 --owner ann',
  ])
    .option('--owner <name>', "the key that they belong to; another's needs the role control")
    .action(async (ids: readonly string[], options: Asking & { readonly owner?: string }) => {
      const client = clientOf(options)
      for (const id of ids) {
        await client.tasks.cancel(id, { owner: options.owner })
        if (options.json === true) sayJson({ task_id: id })
        else say(`${id} is canceled, or had ended before.`)
      }
    })

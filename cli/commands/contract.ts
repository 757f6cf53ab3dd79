import { Command } from 'commander'
import { command, type Common } from '../common/command.ts'
import type { JsonObject } from '../contract/document.ts'
import { CommandError } from '../common/exit.ts'
import { say, sayJson } from '../common/output.ts'
import { contractText } from './verify.ts'

/** `contract diff`: what a later contract breaks for clients of an earlier one. */
export const contract = (): Command =>
  new Command('contract').description('Compare contracts').addCommand(
    command('diff <old> <new>', 'Say what of NEW breaks clients that were made from OLD; ends with 1 where something does', [
      'orchestratord contract diff openapi-1.0.0.json openapi.json',
      'orchestratord contract diff openapi-1.0.0.json openapi.json --json',
    ]).action(async (before: string, after: string, { json }: Common) => {
      const [{ breakingChanges }, { Contract }] = await Promise.all([import('../contract/diff.ts'), import('../contract/document.ts')])
      const [old, now] = [before, after].map((file) => new Contract(JSON.parse(contractText(file)) as JsonObject))
      if (old === undefined || now === undefined) return
      const breaking = breakingChanges(old, now)
      if (json === true) sayJson({ old: old.version, new: now.version, breaking })
      else for (const { where, what } of breaking) say(`breaking: ${where}: ${what}`)
      if (breaking.length > 0)
        throw new CommandError(
          `${now.version} breaks clients of ${old.version} in ${breaking.length} places: stay with ${old.version}, or change them`,
        )
      if (json !== true) say(`${now.version} breaks no client of ${old.version}`)
    }),
  )

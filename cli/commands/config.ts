import type { Command } from 'commander'
import { asking, clientOf, type Asking } from '../common/command.ts'
import { note, say, sayJson } from '../common/output.ts'

/** `config`: what the daemon runs with. */
export const config = (): Command =>
  asking('config', 'Show the configuration that the daemon runs with, without its secrets; for keys with the role control', [
    'orchestratord config',
    'orchestratord config --json',
  ]).action(async (options: Asking) => {
    const running = await clientOf(options).config()
    if (options.json === true) {
      sayJson(running)
      return
    }
    const { stringify } = await import('yaml')
    say(stringify(running.config).trimEnd())
    note(`loaded at ${running.loaded_at}`)
    const { refused } = running
    if (refused !== undefined)
      note(`refused at ${refused.at}: ${refused.pool_id === undefined ? '' : `pool ${refused.pool_id}: `}${refused.message}`)
  })

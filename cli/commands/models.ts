import type { Command } from 'commander'
import { asking, clientOf, type Asking } from '../common/command.ts'
import { sayJson, sayTable, shown } from '../common/output.ts'

/** The context that stands for one that nobody has told. */
const untold_ctx = 10_000_000

/** `models`: what tasks may ask for. */
export const models = (): Command =>
  asking('models', 'List the models that a task may name', ['orchestratord models', 'orchestratord models --json']).action(
    async (options: Asking) => {
      const { models: served } = await clientOf(options).capabilities()
      if (options.json === true) {
        sayJson({ models: served })
        return
      }
      const rows = served.map(({ name, aliases, pools, fallback, ctx_max, ready }) =>
        [
          name,
          ready ? 'yes' : 'no',
          ctx_max === untold_ctx ? '-' : String(ctx_max),
          [...pools, ...fallback.map((id) => `(${id})`)].join(' '),
          aliases.join(' ') || '-',
        ].map(shown),
      )
      sayTable(['MODEL', 'READY', 'CONTEXT', 'POOLS (FALLBACK)', 'ALIASES'], rows, 'no models')
    },
  )

import type { Command } from 'commander'
import type { components } from '../../sdk/src/index.ts'
import { asking, clientOf, seconds, type Asking } from '../common/command.ts'
import { say, sayJson } from '../common/output.ts'
import { showPool } from './pools.ts'

type Foresight = components['schemas']['PoolForesight']

/** Options of a command that can be asked what would follow. */
interface Dry extends Asking {
  readonly dryRun?: boolean
}

const dryable = (...of: Parameters<typeof asking>): Command =>
  asking(...of).option('--dry-run', 'only tell what would become of tasks; nothing happens')

/** `drain`: a pool takes nothing new. */
export const drain = (): Command =>
  dryable('drain <pool>', 'Let a pool take nothing new; what runs ends, what waits moves to other pools or ends at the deadline', [
    'orchestratord drain mock --deadline 30',
    'orchestratord drain mock --dry-run',
  ])
    .addOption(seconds('--deadline', 'what is left then ends with an error', 60_000))
    .action(async (id: string, { deadline: deadline_ms, ...options }: Dry & { readonly deadline: number }) => {
      const { pools } = clientOf(options)
      if (options.dryRun === true) foretell(await pools.foresee.drain(id, { deadline_ms }), options)
      else showPool(await pools.drain(id, { deadline_ms }), options)
    })

/** `load`: the model of a pool comes now. */
export const load = (): Command =>
  dryable('load <pool>', 'Load the model of a pool now; another pool of its group makes room where there is none', [
    'orchestratord load vision',
    'orchestratord load vision --dry-run',
  ]).action(async (id: string, options: Dry) => {
    const { pools } = clientOf(options)
    if (options.dryRun === true) foretell(await pools.foresee.load(id), options)
    else showPool(await pools.load(id), options)
  })

/** `unload`: the model of a pool leaves. */
export const unload = (): Command =>
  dryable('unload <pool>', 'Take the model of a pool out of memory when what runs has ended; what waits moves to other pools', [
    'orchestratord unload vision',
    'orchestratord unload vision --dry-run --json',
  ]).action(async (id: string, options: Dry) => {
    const { pools } = clientOf(options)
    if (options.dryRun === true) foretell(await pools.foresee.unload(id), options)
    else showPool(await pools.unload(id), options)
  })

function foretell(foresight: Foresight, { json }: Dry): void {
  if (json === true) {
    sayJson(foresight)
    return
  }
  const { pools, running, waiting, movable, moves_to, late } = foresight
  if (pools.length === 0) {
    say('No task is hit.')
    return
  }
  const where = moves_to.map(({ pool_id, tasks }) => `${tasks} to ${pool_id}`).join(', ')
  say(
    `${pools.join(', ')}: ${running} ${running === 1 ? 'task runs and ends' : 'tasks run and end'}; of ${waiting} that wait ${movable} move${
      where === '' ? '' : ` (${where})`
    }, ${waiting - movable} stay; ${late} will probably be late.`,
  )
}

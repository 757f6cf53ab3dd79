import type { Command } from 'commander'
import type { components } from '../../sdk/src/index.ts'
import { asking, clientOf, type Asking } from '../common/command.ts'
import { say, sayJson, sayTable, shown, styled } from '../common/output.ts'

type Schemas = components['schemas']
type Pool = Schemas['PoolSummary']

const head = ['POOL', 'ENGINE', 'MODEL', 'STATE', 'BUSY', 'SLOTS', 'QUEUED']

/** `pools`: what each is doing, or the replicas of one. */
export const pools = (): Command =>
  asking('pools [pool]', 'Show what each pool is doing, or the replicas of one', [
    'orchestratord pools',
    'orchestratord pools mock --json',
  ]).action(async (id: string | undefined, options: Asking) => {
    const client = clientOf(options)
    if (id !== undefined) {
      showHealth(await client.pools.health(id), options)
      return
    }
    const page = await client.pools.list()
    if (options.json === true) {
      sayJson(page)
      return
    }
    sayTable(head, page.pools.map(poolRow), 'no pools')
  })

/** `resume`: a drained pool takes tasks again. */
export const resume = (): Command =>
  asking('resume <pool>', 'Let a drained pool take tasks again', ['orchestratord resume mock']).action(
    async (id: string, options: Asking) => {
      showPool(await clientOf(options).pools.resume(id), options)
    },
  )

/** `reload`: another model on a pool. */
export const reload = (): Command =>
  asking('reload <pool> <model>', 'Put another model on a pool; if it does not come up, the old one serves on', [
    'orchestratord reload mock mock:v2',
    'orchestratord reload tales catalog:tales',
  ]).action(async (id: string, model_ref: string, options: Asking) => {
    showPool(await clientOf(options).pools.reload(id, { model_ref }), options)
  })

/** What a pool is, in a word. */
export function stateOf({ live, ready, draining, load_state }: Pick<Pool, 'live' | 'ready' | 'draining' | 'load_state'>): string {
  if (draining) return 'draining'
  return load_state ?? (ready ? 'ready' : live ? 'starting' : 'down')
}

/** Its row below the head of `pools`. */
export function poolRow(pool: Pool): string[] {
  const state = stateOf(pool)
  const coloured = styled(state === 'ready' || state === 'loaded' ? 'green' : state === 'down' ? 'red' : 'yellow', shown(state))
  const { pool_id, engine, model_ref, slots, slots_busy, queue_depth } = pool
  return [pool_id, shown(engine), shown(model_ref), coloured, String(slots_busy), String(slots), String(queue_depth)]
}

/** What a pool is, after something was done to it. */
export function showPool(pool: Pool, { json }: Asking): void {
  if (json === true) sayJson(pool)
  else sayTable(head, [poolRow(pool)], '')
}

function showHealth(health: Schemas['PoolHealth'], { json }: Asking): void {
  if (json === true) {
    sayJson(health)
    return
  }
  const { queued_interactive, queued_batch, slots, slots_busy } = health.metrics
  say(`${stateOf(health)}, ${slots_busy} of ${slots} slots busy, ${queued_interactive} interactive and ${queued_batch} batch tasks wait`)
  const rows = health.replicas.map((one) =>
    [
      one.replica_id,
      one.state,
      `${one.slots_busy}`,
      `${one.slots}`,
      one.engine_version ?? '-',
      `${one.restarts}`,
      one.last_error ?? '-',
    ].map(shown),
  )
  sayTable(['REPLICA', 'STATE', 'BUSY', 'SLOTS', 'VERSION', 'RESTARTS', 'LAST ERROR'], rows, 'no replicas')
}

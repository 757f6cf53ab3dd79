import { pause } from '../../../src/ports/clock.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { poolConfig, startRig, type RigOptions } from '../../harness/rig.ts'

const pools = ['a', 'b', 'c'].map((id) => poolConfig({ id, model: `mock:${id}` }))
export const ofModel = (id: string): { readonly model_ref: string } => ({ model_ref: `mock:${id}` })

/** A group of three pools, of which each takes 5 s to load. */
export async function groupRig(fields: Record<string, unknown> = {}, options: RigOptions = {}) {
  const clock = options.clock ?? new FakeClock()
  const never = new AbortController().signal
  const rig = await startRig({
    pools,
    clock,
    groups: [{ id: 'gpu', pools: ['a', 'b', 'c'], max_hold_ms: 60_000, idle_unload_ms: 600_000, ...fields }],
    prepare: (engine) => (engine.onStart = () => pause(clock, 5000, never)),
    ...options,
  })
  return { ...rig, states: () => rig.pools.all().map(({ seat }) => seat?.state) }
}

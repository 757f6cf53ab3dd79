import { poolConfig, refusalOf, startRig, type Rig, type RigOptions, type TaskFields } from '../../harness/rig.ts'
import { brokenEngine } from '../../harness/scripted-engine.ts'

/** A pool with a model of its own and room for one task that waits. */
export const pool = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> =>
  poolConfig({ id, model: `mock:${id}`, queue: { capacity: 1 }, ...fields })

export const coder = { name: 'coder', aliases: ['gpt-4o-mini', 'claude-*'], pools: ['rack', 'box'], fallback: ['cloud'] }

/** `coder` is served by rack and box, each with a model of its own, else by cloud; `other` by x. */
export const start = (options: RigOptions = {}): Promise<Rig> =>
  startRig({ pools: ['rack', 'box', 'cloud', 'x'].map((id) => pool(id)), models: [coder, { name: 'other', pools: ['x'] }], ...options })

/** Fields of a task of `coder`. */
export const ask = (fields: TaskFields = {}): TaskFields => ({ model_ref: 'coder', engine: undefined, ...fields })
/** Where it goes. */
export const poolOf = async (rig: Rig, fields: TaskFields = {}): Promise<string> => (await rig.run(ask(fields))).pool_id
/** Why it is refused. */
export const refusal = async (rig: Rig, fields: TaskFields = {}): Promise<string> => {
  const { kind, message } = await refusalOf(rig.admit(ask(fields)))
  return `${kind} ${message}`
}
/** Fails the only replica of each of these pools, for good. */
export const takeDown = (rig: Rig, ...ids: string[]): void => {
  for (const id of ids) {
    rig.engine(`${id}/r0`).onStart = () => Promise.reject(new Error('cannot'))
    rig.engine(`${id}/r0`).die(brokenEngine())
  }
}

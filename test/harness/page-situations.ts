import { PageRig, pagePool, type KeyName } from './page.ts'
import { until, untilAnswer } from './wait.ts'

/** Something that is never over. */
const never = (): Promise<never> => new Promise(() => undefined)

/** Sends tasks of keys to a pool, each with an id that tells its key. */
async function send(rig: PageRig, pool: string, keys: readonly KeyName[], from = 0): Promise<void> {
  for (const [i, key] of keys.entries())
    await rig.task(key, { task_id: `${key}-${from + i}`, session_id: `s-${from + i}`, model_ref: `mock:${pool}`, max_tokens: 400 })
}

const running = (rig: PageRig, name: string, n: number): Promise<void> =>
  until(() => rig.engine(name).running.length === n, `${n} tasks run on ${name}`)

/** Waits until all of a pool's state is as wanted. */
const poolIs = (rig: PageRig, id: string, load_state: string): Promise<unknown> =>
  untilAnswer(
    async () => (await rig.ask('/v1/pools')).json['pools'] as readonly { readonly pool_id: string; readonly load_state?: string }[],
    (pools) => pools.some((pool) => pool.pool_id === id && pool.load_state === load_state),
    `${id} to be ${load_state}`,
  )

/** A pool that has more to do than it can: one key has it all. Somebody else's task waits behind it. */
async function full(): Promise<PageRig> {
  const rig = await PageRig.start({ pools: [pagePool('coder', { a: 2, b: 2 })] })
  const hog = Array<KeyName>(9).fill('nightly-evals')
  await send(rig, 'coder', hog)
  await send(rig, 'coder', ['webapp', 'claude-desk'], hog.length)
  for (const name of ['coder/a', 'coder/b']) for (const call of rig.engine(name).running) for (let n = 0; n < 120; n++) call.say('word ')
  return rig
}

/** A model on its way: a group's pool that has been loaded before is loaded again. */
async function loading(): Promise<PageRig> {
  const rig = await PageRig.start({
    pools: [pagePool('box', { r0: 2 }), pagePool('vision', { r0: 2 })],
    groups: [{ id: 'gpu', pools: ['box', 'vision'] }],
  })
  await send(rig, 'vision', ['claude-desk'])
  await running(rig, 'vision/r0', 1)
  rig.engine('box/r0').onStart = never
  await send(rig, 'box', ['webapp', 'codex-desk'])
  rig.engine('vision/r0').call.finish()
  await poolIs(rig, 'box', 'loading')
  return rig
}

/** A pool without its devices: another of its group has them and works. */
async function asleep(): Promise<PageRig> {
  const rig = await PageRig.start({
    pools: [pagePool('box', { r0: 2 }), pagePool('vision', { r0: 2 })],
    groups: [{ id: 'gpu', pools: ['box', 'vision'] }],
  })
  await send(rig, 'vision', ['claude-desk', 'claude-desk', 'claude-desk'])
  await running(rig, 'vision/r0', 2)
  await send(rig, 'box', ['webapp'])
  return rig
}

/** Half of a pool is gone; the other half works on. */
async function down(): Promise<PageRig> {
  const rig = await PageRig.start({ pools: [pagePool('coder', { a: 2, b: 2 })] }, (engine, name) => {
    if (name === 'coder/b') engine.onStart = () => Promise.reject(new Error('CUDA error: an illegal memory access'))
  })
  await send(rig, 'coder', ['codex-desk', 'codex-desk', 'claude-desk', 'webapp'])
  await running(rig, 'coder/a', 2)
  return rig
}

/** A pool that an operator empties. */
async function draining(): Promise<PageRig> {
  const rig = await PageRig.start({ pools: [pagePool('coder', { a: 2 })] })
  await send(rig, 'coder', ['codex-desk', 'codex-desk', 'webapp'])
  await running(rig, 'coder/a', 2)
  await rig.ask('/v1/pools/coder/drain', 'POST', { deadline_ms: 1_800_000 })
  return rig
}

/** What an operator may find when the page opens; in each of them a task of `webapp` waits. */
export const situations = { full, loading, asleep, down, draining } as const

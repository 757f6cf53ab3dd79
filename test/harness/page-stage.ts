import { until, untilAnswer } from './wait.ts'
import { PageRig, pagePool, type KeyName } from './page.ts'

/** Something that is never over. */
const never = (): Promise<never> => new Promise(() => undefined)

/**
 * A daemon with everything that the page shows: a pool half up with a queue, one that loads, one asleep, one that drains, tasks that failed and
 * tasks that will be late.
 */
export async function fullStage(): Promise<PageRig> {
  const rig = await PageRig.start(
    {
      pools: [pagePool('coder', { a: 3, b: 3 }), pagePool('box', { r0: 2 }), pagePool('vision', { r0: 2 }), pagePool('embed', { r0: 4 })],
      groups: [{ id: 'gpu-2', pools: ['box', 'vision'] }],
    },
    (engine, name) => {
      if (name === 'coder/b') engine.onStart = () => Promise.reject(new Error('CUDA error: an illegal memory access'))
      if (name === 'box/r0') engine.onStart = never
    },
  )
  const owners: KeyName[] = ['codex-desk', 'claude-desk', 'claude-desk', 'nightly-evals', 'webapp']
  const coder = rig.engine('coder/a')
  await rig.task('webapp', { task_id: 'web-1168', model_ref: 'mock:coder' })
  await until(() => coder.running.length === 1, 'the first task runs')
  coder.call.fail()
  await until(() => coder.running.length === 1, 'it is run again')
  const again = coder.call
  const runs = (i: number): Promise<unknown> =>
    rig.task(owners[i] ?? 'webapp', { task_id: `resp-8f41c${i}`, model_ref: 'mock:coder', max_tokens: 400 })
  for (let i = 0; i < 2; i++) await runs(i)
  await until(() => coder.running.length === 3, 'two tasks run beside it')
  again.say('Once')
  again.fail()
  // From now on nobody else gets a slot before it has had the replica for itself.
  await untilAnswer(
    async () => (await rig.ask('/v1/tasks/web-1168?owner=webapp')).json['waits'] as { readonly code: string } | undefined,
    (waits) => waits?.code === 'runs_alone',
    'it waits to run alone',
  )
  await runs(2)
  for (const [i, running] of coder.running.entries()) for (let n = 0; n < 100 * (i + 1); n++) running.say(n % 9 === 8 ? 'word.\n' : 'word ')
  for (let i = 0; i < 14; i++)
    await rig.task(owners[i % 5] ?? 'webapp', {
      ...{ task_id: `chat-77d1${i.toString(16)}`, session_id: `s-${i % 4}`, model_ref: 'mock:coder' },
      ...{ priority: i > 10 ? 'batch' : 'interactive', deadline_ms: i % 5 === 4 ? 12_000 + i * 1000 : 600_000 },
    })
  for (let i = 0; i < 5; i++) await rig.task('codex-desk', { task_id: `aider-5c1${i}`, model_ref: 'mock:box' })
  for (let i = 0; i < 2; i++) await rig.task('webapp', { task_id: `web-117${i}`, model_ref: 'mock:vision' })
  for (let i = 0; i < 2; i++) await rig.task('nightly-evals', { task_id: `emb-99${i}`, model_ref: 'mock:embed' })
  await rig.ask('/v1/pools/embed/drain', 'POST', { deadline_ms: 1_800_000 })
  return rig
}

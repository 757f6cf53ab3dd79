import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Page } from 'playwright-core'
import { FakeClock } from '../harness/fake-clock.ts'
import { repeats } from '../harness/long.ts'
import { PageRig, pagePool, says, type KeyName } from '../harness/page.ts'
import { withEngine } from '../harness/real-engines.ts'
import type { EngineCall, ScriptedEngine } from '../harness/scripted-engine.ts'
import { untilAnswer } from '../harness/wait.ts'
import { comparable, read, told, type Seen } from './seen.kit.ts'

const moments = repeats({ quick: 60, long: 200 })
/** The verdict on a restart is worked out anew as seldom as this. */
const slowest_ms = 2100
const pools = [
  { id: 'coder', replicas: 2 },
  { id: 'twin', replicas: 1 },
  { id: 'box', replicas: 1 },
  { id: 'vision', replicas: 1 },
] as const
const owners: readonly KeyName[] = ['webapp', 'codex-desk', 'claude-desk', 'nightly-evals', 'ops']

type What = 'admit' | 'say' | 'finish' | 'fail' | 'die' | 'cancel' | 'drain' | 'resume' | 'later'
const often = (what: What, times: number): What[] => Array<What>(times).fill(what)
const step = fc.record({
  what: fc.constantFrom<What[]>(
    ...often('admit', 16),
    ...often('say', 4),
    ...often('finish', 9),
    ...(['fail', 'fail', 'die', 'cancel', 'cancel', 'drain', 'resume', 'resume', 'later'] as const),
  ),
  n: fc.nat(10_000),
})

withEngine('chromium', 'what the page says', () => {
  const clock = new FakeClock()
  let rig: PageRig
  let page: Page
  before(async () => {
    const configured = pools.map(({ id, replicas }) =>
      pagePool(id, replicas === 2 ? { a: 2, b: 1 } : { r0: 1 }, { timeouts: { idle_ms: 3_600_000, wall_ms: 3_600_000 } }),
    )
    rig = await PageRig.start({ pools: configured, groups: [{ id: 'gpu', pools: ['box', 'vision'] }] }, undefined, clock)
    page = await rig.open()
  })
  after(() => rig.stop())

  const running = (): EngineCall[] => rig.all.flatMap((engine) => engine.running)
  /** Each task's prompt is its id, so that an engine's calls say whose they are. */
  const startedOf = ({ request: { prompt } }: EngineCall): string => ('text' in prompt ? prompt.text : '')
  const startedIn = (pool: string): string[] =>
    pools
      .filter(({ id }) => id === pool)
      .flatMap(({ replicas }) => (replicas === 2 ? ['a', 'b'] : ['r0']).flatMap((one) => rig.engine(`${pool}/${one}`).calls.map(startedOf)))

  let made = 0
  async function admit(pool: string, n: number): Promise<void> {
    const task_id = `t${++made}-${(n % 4096).toString(16)}`
    const fields = {
      session_id: `s-${n % 7}`,
      priority: n % 3 === 0 ? 'batch' : 'interactive',
      deadline_ms: n % 5 === 0 ? 20_000 : 3_000_000,
    }
    const task = rig.task(owners[n % owners.length] ?? 'ops', { task_id, prompt: task_id, model_ref: `mock:${pool}`, ...fields })
    // A pool that drains, is full or down takes nothing.
    await task.catch((error: unknown) => assert.match(String(error), /POOL_UNREADY|REPLICA_EXHAUSTED|ADMISSION_REJECT|DEADLINE_UNMET/))
  }

  async function take({ what, n }: { readonly what: What; readonly n: number }): Promise<void> {
    const pool = pools[n % pools.length]?.id ?? 'twin'
    const call = running()[n % Math.max(1, running().length)]
    switch (what) {
      case 'admit':
        for (let i = 0; i <= n % 3; i++) await admit(pool, n + 11 * i)
        return
      case 'say':
        return call?.say('word ')
      case 'finish':
        return call?.finish()
      case 'fail':
        return call?.fail()
      case 'die':
        return fall(rig.all[n % rig.all.length])
      case 'cancel': {
        const task = [...rig.daemon.live.all()][n % 40]
        if (task !== undefined) await rig.ask(`/v1/tasks/${task.head.task_id}/cancel?owner=${task.owner}`, 'POST')
        return
      }
      case 'drain':
        await rig.ask(`/v1/pools/${pool}/drain`, 'POST', { deadline_ms: 600_000 })
        return
      case 'resume':
        for (const engine of rig.all) engine.onStart = () => Promise.resolve()
        await rig.ask(`/v1/pools/${pool}/resume`, 'POST')
        return
      case 'later':
        return clock.advance(1000 * (n % 30))
    }
  }

  /** An engine dies, and does not come back before it is let. */
  function fall(engine: ScriptedEngine | undefined): void {
    if (engine === undefined) return
    engine.onStart = () => Promise.reject(new Error('CUDA error: out of memory'))
    engine.die()
  }

  /** Who the page says is next, by pool. */
  const nextOf = ({ lanes }: Seen): Map<string, string> =>
    new Map(
      lanes.flatMap(({ pool_id, waiting }) =>
        waiting.filter(({ why }) => why === 'starts with the next free slot').map(({ task_id }) => [pool_id, task_id]),
      ),
    )

  it('is marked as not live 5 s after the last word of the daemon, and not before', async () => {
    const other = await rig.open({ as: 'webapp', prepare: (tab) => tab.clock.install() })
    const state = other.locator('header [role=status]')
    await other.clock.pauseAt((await other.evaluate<number>('Date.now()')) + 1000)
    // The daemon says something, and then its time stands still.
    const last = await rig.task('webapp', { task_id: 'the-last-word', model_ref: 'mock:twin' })
    await clock.advance(100)
    await other.locator(`tr[data-task=${last}]`).waitFor({ state: 'attached' })
    await other.clock.runFor(4500)
    await says(state, '● live')
    await other.clock.runFor(500)
    await says(state, '✕ not live for 0:05, trying again')
    assert.equal(await other.locator('.stale').count(), 1)
    await clock.advance(2100)
    await says(state, '● live')
    assert.equal(await other.locator('.stale').count(), 0)
    await other.context().close()
  })

  it(`is what the listings say and what then happens, in ${moments} moments`, async () => {
    let starts = 0
    const reasons = new Set<string>()
    for (const [i, one] of fc.sample(step, { seed: 13, numRuns: moments }).entries()) {
      const before = await read(page)
      const counts = new Map(pools.map(({ id }) => [id, startedIn(id).length]))
      await take(one)
      // What is told least often has been told by then.
      await clock.advance(slowest_ms)
      const truth = comparable(await told(rig, pools))
      const seen = await untilAnswer(
        async () => comparable(await read(page)),
        (shown) => isDeepStrictEqual(shown, truth),
        `moment ${i}, ${one.what}, to be ${JSON.stringify(truth)}`,
        60_000,
      )
      for (const { waiting } of seen.lanes) for (const { why } of waiting) reasons.add(why)
      if (one.what !== 'finish') continue
      for (const [pool, task_id] of nextOf(before)) {
        const started = startedIn(pool).slice(counts.get(pool as (typeof pools)[number]['id']))
        if (started.length === 0) continue
        assert.equal(started[0], task_id, `moment ${i}: the page said that ${task_id} is next in ${pool}`)
        starts++
      }
    }
    assert.ok(starts > moments / 12, `only ${starts} starts were foretold`)
    assert.ok(reasons.size > 4, `only ${[...reasons].join()}`)
    assert.deepEqual(rig.complaints, [])
  })
})

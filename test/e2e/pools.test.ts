import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { untilAnswer } from '../harness/wait.ts'
import { accepted, assertUnready, assertWhole, childProcesses, drain, endOf, listed, read, reload, resume } from './pools.kit.ts'

const clients = 50

/** What came of the load: tasks that ended, and refusals on the way. */
interface Tally {
  ended: number
  refused: number
}

describe('pools under load', () => {
  let daemon: TestDaemon
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  before(async () => {
    const pool = { replicas: [{ id: 'r0', slots: 8 }], mock: { prefill_ms: 1, token_ms: 2, tokens: 12 }, queue: { capacity: 256 } }
    daemon = await startDaemon({
      sessions: { max_turns: 1000 },
      pools: [mockPool({ id: 'a', ...pool }), mockPool({ id: 'b', ...pool }), talesPool({ replicas: [{ id: 'r0', slots: 4 }] })],
    })
  })
  after(async () => {
    agent.destroy()
    await daemon.stop()
  })

  /** One stream after the other, whole and with the text of its seed, until `over`. */
  async function client(
    task: (seed: number) => Record<string, unknown> & { task_id: string },
    text: readonly string[],
    over: () => boolean,
    tally: Tally,
  ): Promise<void> {
    for (let round = 0; !over(); round++) {
      const seed = round % text.length
      const body = task(seed)
      const answer = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body, agent })
      if (answer.status !== 202) {
        assertUnready(answer)
        tally.refused++
        continue
      }
      const stream = await read(daemon, body.task_id)
      assertWhole(stream)
      assert.equal(stream.terminal?.event, 'end', JSON.stringify(stream.terminal))
      assert.equal(stream.text, text[seed])
      tally.ended++
    }
  }

  /** Runs the clients for as long as the operator is at work. */
  async function underLoad(
    task: (seed: number) => Record<string, unknown> & { task_id: string },
    operate: () => Promise<void>,
  ): Promise<Tally> {
    const text: string[] = []
    for (let seed = 0; seed < 4; seed++) {
      const body = task(seed)
      await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body })
      text.push((await read(daemon, body.task_id)).text)
    }
    const tally = { ended: 0, refused: 0 }
    let over = false
    const work = operate().finally(() => (over = true))
    await Promise.all([work, ...Array.from({ length: clients }, () => client(task, text, () => over, tally))])
    return tally
  }

  const empty = (pool: string): Promise<unknown> =>
    untilAnswer(
      () => listed(daemon, pool),
      ({ slots_busy, queue_depth }) => slots_busy === 0 && queue_depth === 0,
    )
  const busy = (pool: string): Promise<unknown> =>
    untilAnswer(
      () => listed(daemon, pool),
      ({ slots_busy }) => Number(slots_busy) > 0,
    )
  const story = (seed: number): ReturnType<typeof mockTask> => mockTask({ seed })
  const tale = (seed: number): ReturnType<typeof mockTask> =>
    mockTask({
      seed,
      engine: 'llamacpp',
      model_ref: 'file:models/tinytales.gguf',
      ctx: 256,
      prompt: undefined,
      messages: [{ role: 'user', content: 'Tell me a story.' }],
      max_tokens: 8,
    })

  it('drain in turn without a refusal, for the other one takes the tasks', async () => {
    const { ended, refused } = await underLoad(story, async () => {
      for (const pool of ['a', 'b', 'a', 'b']) {
        await busy(pool)
        assert.equal((await drain(daemon, pool)).status, 202)
        await empty(pool)
        assert.equal((await resume(daemon, pool)).status, 202)
      }
    })
    assert.ok(ended >= clients)
    assert.equal(refused, 0)
  })

  it('refuse while all of them drain, and break nothing', async () => {
    const tally = await underLoad(story, async () => {
      await busy('a')
      await Promise.all([drain(daemon, 'a'), drain(daemon, 'b')])
      await Promise.all([empty('a'), empty('b')])
      await Promise.all([resume(daemon, 'a'), resume(daemon, 'b')])
      await busy('a')
    })
    assert.ok(tally.refused > 0)
  })

  it('reload again and again without a refusal', async () => {
    const { ended, refused } = await underLoad(story, async () => {
      for (const pool of ['a', 'b', 'a', 'b', 'a', 'b']) {
        await busy(pool)
        assert.equal((await reload(daemon, pool, 'mock:v1')).status, 202)
      }
    })
    assert.ok(ended >= clients)
    assert.equal(refused, 0)
  })

  it('reload and drain at once', async () => {
    await underLoad(story, async () => {
      for (const pool of ['a', 'b', 'a', 'b']) {
        await busy(pool)
        await Promise.all([reload(daemon, pool, 'mock:v1'), drain(daemon, pool)])
        await resume(daemon, pool)
      }
    })
    const task = await accepted(daemon)
    assert.equal((await endOf(daemon, task)).event, 'end')
  })

  it('drain the embedded engine: what runs and waits ends whole, newcomers are told 503', async () => {
    const { refused } = await underLoad(tale, async () => {
      await busy('tales')
      assert.equal((await drain(daemon, 'tales')).status, 202)
      await empty('tales')
      assert.equal((await resume(daemon, 'tales')).status, 202)
      await busy('tales')
    })
    assert.ok(refused > 0)
  })

  it('reload the embedded engine without a refusal, and leave one process', async () => {
    const before = (await childProcesses()).length
    const { refused } = await underLoad(tale, async () => {
      for (let time = 0; time < 2; time++) {
        await busy('tales')
        assert.equal((await reload(daemon, 'tales', 'file:models/tinytales.gguf')).status, 202)
      }
    })
    assert.equal(refused, 0)
    await untilAnswer(childProcesses, (pids) => pids.length === before)
  })
})

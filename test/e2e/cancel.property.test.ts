import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import fc from 'fast-check'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { post } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import { readStream } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'
import { recordWrites, type Write } from '../harness/write-order.ts'
import { cancelAt, checkOrder, scenario, type Scenario, type TaskOf } from './cancel.property.ts'

interface Setting {
  readonly what: string
  readonly pool: Record<string, unknown>
  readonly taskOf: TaskOf
  readonly last: number
  readonly batch: number
  readonly batches: number
}

const settings: readonly Setting[] = [
  {
    what: 'tasks of the mock',
    pool: mockPool({
      replicas: [
        { id: 'r0', slots: 3 },
        { id: 'r1', slots: 3 },
      ],
      queue: { capacity: 1000 },
      mock: { prefill_ms: 1, token_ms: 1, tokens: 12 },
    }),
    taskOf: ({ max_tokens, priority, seed }) => mockTask({ max_tokens, priority, seed }),
    last: 12,
    batch: 80,
    batches: repeats({ quick: 4, long: 25 }),
  },
  {
    what: 'tasks of the embedded model',
    pool: talesPool(),
    taskOf: ({ max_tokens, priority, seed }) =>
      mockTask({ max_tokens, priority, seed, engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf', ctx: 256 }),
    last: 80,
    batch: 20,
    batches: repeats({ quick: 1, long: 3 }),
  },
]

for (const { what, pool, taskOf, last, batch, batches } of settings)
  describe(`canceling ${what} at random moments`, () => {
    let daemon: TestDaemon
    let writes: Write[]
    const agent = new Agent({ keepAlive: true, maxSockets: 50 })
    before(async () => {
      daemon = await startDaemon({ pools: [pool] })
      writes = recordWrites(daemon.server)
    })
    after(async () => {
      agent.destroy()
      await daemon.stop()
    })

    it('lets no token follow the answer, ends each reader once and leaks no slot', async () => {
      const ended = { canceled: 0, completed: 0 }
      // One at least is canceled after its end; how many of the others are depends on the speed of the machine.
      const atEnd = scenario(last).map((given): Scenario => ({ ...given, moment: { at: 'end' } }))
      const scenarios = fc
        .tuple(atEnd, fc.array(scenario(last), { minLength: batch - 1, maxLength: batch - 1 }))
        .map(([one, rest]) => [one, ...rest])
      const property = fc.asyncProperty(scenarios, async (given) => {
        writes.length = 0
        const states = await Promise.all(given.map((one) => cancelAt(daemon, one, taskOf, agent)))
        for (const state of states) ended[state]++
        checkOrder(writes)
        const [only] = daemon.pools.all()
        assert.ok(only !== undefined)
        await until(() => only.slotsBusy === 0)
        assert.equal(only.scheduler.depth(), 0)
        assert.equal(only.running.size, 0)
        assert.equal(daemon.live.size, 0)
        assert.equal(
          only.replicas.reduce((sum, { restarts }) => sum + restarts, 0),
          0,
        )
      })
      await fc.assert(property, { numRuns: batches, endOnFailure: true })
      assert.equal(ended.canceled + ended.completed, batch * batches)
      assert.ok(ended.canceled > 0 && ended.completed > 0, JSON.stringify(ended))
    })

    it('runs a task afterwards as if nothing had been', async () => {
      const given = { max_tokens: last, priority: 'interactive', seed: 5, readers: 1, cancels: 1, moment: { at: 'end' } } as const
      const texts = new Set<string>()
      for (const task of [taskOf(given), taskOf(given)]) {
        await post(daemon.url, keys.data, task, agent)
        const stream = await readStream(daemon.url, task.task_id, keys.data)
        assert.equal(stream.terminal?.event, 'end')
        texts.add(stream.text)
      }
      assert.equal(texts.size, 1)
      assert.notDeepEqual(texts, new Set(['']))
    })
  })

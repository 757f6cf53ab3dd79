import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import { readStream, type StreamClient } from '../harness/sse.ts'

const deaths = repeats({ quick: 8, long: 50 })
const streams = repeats({ quick: 12, long: 50 })
const seeds = 5
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Numbers below 1 that a seed decides: a linear congruence (Numerical Recipes). */
function random(state: number): () => number {
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

const stops = { sampling: { stop: ['ge opens', 'water '] } }

async function post(daemon: TestDaemon, task: Readonly<Record<string, unknown>>): Promise<void> {
  const { status, text } = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.all, body: task })
  assert.equal(status, 202, text)
}

const tokensOf = ({ frames }: StreamClient): unknown[] => frames.flatMap(({ event, id, data }) => (event === 'token' ? [[id, data]] : []))
const textOf = ({ frames }: StreamClient): string =>
  frames.flatMap(({ event, data }) => (event === 'token' ? [String(data?.['t'])] : [])).join('')

for (const replayable of [true, false])
  describe(`an engine that dies ${deaths} times, ${replayable ? 'and gives the same again' : 'and goes on from text'} (CRASH_SEED=${seed})`, () => {
    it(`leaves ${streams} streams whole`, async () => {
      const clock = new FakeClock()
      const pool = mockPool({
        replicas: [{ id: 'r0', slots: 6 }],
        timeouts: patient,
        mock: { prefill_ms: 3, token_ms: 2, tokens: 40, replayable },
      })
      const daemon = await startDaemon({ pools: [pool] }, { clock })
      try {
        const next = random(seed)
        const [running] = daemon.pools.all()
        const replica = running?.replicas[0] ?? assert.fail()
        const task = (n: number): ReturnType<typeof mockTask> =>
          mockTask({
            seed: 1 + (n % seeds),
            deadline_ms: 86_400_000,
            ...(n % 3 === 0 ? stops : {}),
            ...(n % 4 === 0 ? { max_tokens: 25 } : {}),
          })
        /** Lets time pass until the tasks have ended. */
        const through = async (tasks: readonly { task_id: string }[], each: () => Promise<void>): Promise<StreamClient[]> => {
          let left = tasks.length
          const readers = tasks.map(({ task_id }) => readStream(daemon.url, task_id, keys.all).finally(() => left--))
          const all = Promise.all(readers)
          all.catch(() => (left = 0))
          while (left > 0) await each()
          return all
        }
        const kinds = Array.from({ length: seeds * 12 }, (_, n) => task(n))
        for (const one of kinds) await post(daemon, one)
        const undisturbed = await through(kinds, () => clock.advance(20))

        let died = 0
        for (let round = 0; died < deaths; round++) {
          const tasks = Array.from({ length: streams }, (_, n) => task(n))
          for (const one of tasks) await post(daemon, one)
          const readers = await through(tasks, async () => {
            await clock.advance(replica.state === 'ready' ? 1 + Math.floor(next() * 25) : 1000)
            // A task is given up after three runs that failed.
            const last = [...(running?.running ?? [])].some(({ attempts }) => attempts > 2)
            if (died >= deaths || replica.state !== 'ready' || last || replica.busy === 0 || next() < 0.3) return
            died++
            await replica.fail(new Error('it died'))
          })
          for (const [n, reader] of readers.entries()) {
            const as = undisturbed[n % kinds.length] ?? assert.fail()
            assert.deepEqual(reader.terminal?.event, 'end', JSON.stringify(reader.terminal))
            if (replayable) assert.deepEqual(tokensOf(reader), tokensOf(as))
            const { tokens_out, finish_reason, tokens_in } = reader.terminal.data ?? {}
            const { data } = as.terminal ?? {}
            const { sampling, max_tokens } = task(n)
            // Of a token that a stop sequence may begin in, half is out; the run that goes on needs a token for the rest, and reaches its limit sooner.
            if (!replayable && sampling !== undefined && finish_reason === 'length') assert.ok(textOf(as).startsWith(textOf(reader)))
            else assert.deepEqual([textOf(reader), finish_reason], [textOf(as), data?.['finish_reason']])
            assert.equal(tokens_in, data?.['tokens_in'])
            if (finish_reason === 'length') assert.equal(tokens_out, max_tokens)
            const { artifact_id } = reader.terminal.data ?? {}
            const transcript = await call(daemon.url, `/v1/artifacts/${String(artifact_id)}`, { key: keys.all })
            const { content } = transcript.json as { content: string }
            assert.equal((JSON.parse(content) as { text: string }).text, textOf(reader))
          }
          assert.ok(round < 100, `only ${died} deaths`)
        }
        assert.deepEqual([replica.busy, running?.running.size], [0, 0])
      } finally {
        await daemon.stop()
      }
    }).timeout(600_000)
  })

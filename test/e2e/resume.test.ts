import assert from 'node:assert/strict'
import fc from 'fast-check'
import { emptyMark, extendMark } from '../../src/domain/stream/mark.ts'
import { formatMark, parseMark } from '../../src/doors/native/event-id.ts'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import type { Frame } from '../../cli/contract/frame.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const tokens = 60

/** The running hash of bytes as DESIGN has it, written again. */
function idOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return `${bytes.length}-${hash.toString(16).padStart(8, '0')}`
}

describe('resuming a stream', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({
      pools: [mockPool({ mock: { prefill_ms: 0, token_ms: 1, tokens }, queue: { capacity: 1000 } }), talesPool()],
    })
  })
  after(() => daemon.stop())

  const read = (task_id: string, last?: string): Promise<StreamClient> => readStream(daemon.url, task_id, keys.data, last)

  const kept = (all: readonly Frame[]): Frame[] => all.filter(({ event }) => event !== 'metrics')

  /** Runs a task to its end; returns its id and what one gets who reads it then. */
  async function finished(fields: Record<string, unknown> = {}): Promise<{ task_id: string; whole: StreamClient }> {
    const task = mockTask(fields)
    await post(daemon.url, keys.data, task)
    const live = await read(task.task_id)
    const whole = await read(task.task_id)
    assert.equal(whole.terminal?.event, 'end')
    // One that reads while it runs sees more of the metrics.
    assert.deepEqual(kept(whole.frames), kept(live.frames))
    return { task_id: task.task_id, whole }
  }

  const reset = (stream: StreamClient): void => {
    assert.deepEqual(
      stream.frames.map(({ event }) => event),
      ['error'],
    )
    assert.equal(stream.terminal?.data?.['code'], 'WORKER_RESET')
    assert.equal(stream.terminal.data['retriable'], true)
    assert.equal(stream.terminal.id, 'end')
  }

  it('gives exactly the missing text after connections that break anywhere', async () => {
    const scenario = fc.record({
      seed: fc.nat(0xffff),
      drops: fc.array(fc.integer({ min: 0, max: tokens }), { minLength: 1, maxLength: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(scenario, { minLength: 10, maxLength: 10 }), async (scenarios) => {
        await Promise.all(
          scenarios.map(async ({ seed, drops }) => {
            const task = mockTask({ seed })
            await post(daemon.url, keys.data, task)
            const got: Frame[] = []
            const take = async (after?: number): Promise<void> => {
              const last = got.findLast(({ id }) => id !== undefined)?.id
              const client = await StreamClient.open(daemon.url, task.task_id, keys.data, last)
              if (client.status === 204) return
              await client.until(({ frames, terminal }) => (after !== undefined && frames.length >= after) || terminal !== undefined)
              got.push(...client.frames)
              client.drop()
            }
            for (const after of drops) await take(after)
            await take()
            const { frames, text } = await read(task.task_id)
            assert.deepEqual(kept(got), kept(frames))
            assert.equal(
              kept(got)
                .flatMap(({ event, data }) => (event === 'token' ? [data?.['t']] : []))
                .join(''),
              text,
            )
          }),
        )
      }),
      { numRuns: repeats({ quick: 4, long: 20 }), endOnFailure: true },
    )
  })

  it('has ids that are the bytes of text so far and their hash', async () => {
    const { whole } = await finished({ seed: 4242 })
    let text = ''
    for (const { id, data } of whole.tokens) {
      text += String(data?.['t'])
      assert.equal(id, idOf(Buffer.from(text)))
    }
    assert.ok(Buffer.byteLength(text) > text.length, 'the text has characters of several bytes')
  })

  it('takes up at any byte, also inside a token, but not inside a character', async () => {
    const { task_id, whole } = await finished({ seed: 4242 })
    const bytes = Buffer.from(whole.text)
    for (let at = 1; at < bytes.length; at += 1 + (at % 3)) {
      const inside = ((bytes[at] ?? 0) & 0xc0) === 0x80
      const rest = await read(task_id, idOf(bytes.subarray(0, at)))
      if (inside) reset(rest)
      else {
        assert.equal(rest.text, bytes.subarray(at).toString())
        assert.equal(rest.tokens.at(-1)?.id, whole.tokens.at(-1)?.id)
        assert.equal(rest.terminal?.event, 'end')
      }
    }
  })

  it('begins at the first token after the id of started, and after no text', async () => {
    const { task_id, whole } = await finished()
    for (const id of ['0', formatMark(emptyMark)]) {
      const rest = await read(task_id, id)
      assert.deepEqual(rest.frames, whole.frames.slice(1))
    }
  })

  it('gives the terminal frame to one that has all of the text', async () => {
    const { task_id, whole } = await finished()
    const rest = await read(task_id, whole.tokens.at(-1)?.id)
    assert.deepEqual(
      rest.frames.map(({ event }) => event),
      ['metrics', 'end'],
    )
  })

  it('ends with WORKER_RESET where the text was another', async () => {
    const { task_id, whole } = await finished()
    const { bytes } = parseMark(whole.tokens[10]?.id ?? '') ?? emptyMark
    reset(await read(task_id, `${bytes}-00000000`))
    reset(await read(task_id, `${bytes + 1}-${'f'.repeat(8)}`))
    reset(await read(task_id, '0-00000000'))
    reset(await read(task_id, formatMark(extendMark(emptyMark, 'something else altogether'))))
    reset(await read(task_id, '999999999999999-00000000'))
    const other = await finished({ seed: 77 })
    reset(await read(task_id, other.whole.tokens[20]?.id))
  })

  it('waits, while the task runs, for text that is not there yet, and then finds that it is another', async () => {
    const task = mockTask()
    await post(daemon.url, keys.data, task)
    reset(await read(task.task_id, formatMark(extendMark(emptyMark, 'the text of another run, but not as long'))))
  })

  it('answers 204 to one that has everything, live or finished, and 404 where there is no task', async () => {
    const task = mockTask()
    await post(daemon.url, keys.data, task)
    const stream = (id: string, last: string): ReturnType<typeof call> =>
      call(daemon.url, `/v1/tasks/${id}/stream`, { key: keys.data, headers: { 'Last-Event-ID': last } })
    const live = await stream(task.task_id, 'end')
    assert.deepEqual([live.status, live.text], [204, ''])
    await read(task.task_id)
    assert.equal((await stream(task.task_id, 'end')).status, 204)
    assert.equal((await stream('no-such-task', 'end')).status, 404)
  })

  for (const bad of [
    '1',
    'start',
    'END',
    '-1-00000000',
    '5-0000',
    '05-00000000',
    '5-0000000G',
    '5-ABCDEF01',
    '1e3-00000000',
    '5_00000000',
    '9'.repeat(16) + '-00000000',
    '<script>',
  ])
    it(`answers 400 to ${bad}`, async () => {
      const task = mockTask()
      await post(daemon.url, keys.data, task)
      const answer = await call(daemon.url, `/v1/tasks/${task.task_id}/stream`, { key: keys.data, headers: { 'Last-Event-ID': bad } })
      assert.equal(answer.status, 400)
      assert.equal(answer.json['code'], 'INVALID_PARAMS')
      assert.match(String(answer.json['message']), /last-event-id/i)
    })

  it('replays a finished task identically, as often as one likes', async () => {
    for (const fields of [{}, { engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf', ctx: 256, max_tokens: 60 }]) {
      const { task_id, whole } = await finished(fields)
      const replays = await Promise.all(Array.from({ length: 5 }, () => read(task_id)))
      assert.deepEqual(new Set(replays.map(({ raw }) => raw)), new Set([whole.raw]))
    }
  })
})

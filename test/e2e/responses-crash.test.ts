import assert from 'node:assert/strict'
import { eventsOf, type WireEvent } from '../doors/openai/responses/parts.kit.ts'
import { mockPool, talesPool } from '../harness/daemon.ts'
import { repeats } from '../harness/long.ts'
import { temporaryDir } from '../harness/process.ts'
import { Lives } from './crash.kit.ts'

const deaths = repeats({ quick: 2, long: 12 })
const counts = { mock: repeats({ quick: 24, long: 150 }), tales: repeats({ quick: 8, long: 50 }) }

const config = {
  pools: [
    talesPool({ queue: { capacity: 1000 } }),
    mockPool({ queue: { capacity: 1000 }, mock: { prefill_ms: 20, token_ms: 4, tokens: 30 } }),
  ],
  shutdown_grace_ms: 40,
}

const headers = { Authorization: 'Bearer valid', 'Content-Type': 'application/json' }
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A response and the events its reader has got, over all its connections. */
interface Read {
  readonly id: string
  readonly events: WireEvent[]
  connections: number
}

/** Asks the daemon, however often it goes away meanwhile. */
async function asked(lives: Lives, path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const response = await lives.url.then((url) => fetch(`${url}${path}`, { ...init, headers })).catch(() => undefined)
    if (response?.status === 200) return response
    // Not up yet.
    assert.ok(response === undefined || response.status === 503, await response?.text())
    await pause(20)
  }
}

/** The text of a stream, up to where it broke. */
async function whatCame({ body }: Response): Promise<string> {
  let came = ''
  try {
    for await (const chunk of body as ReadableStream<Uint8Array>) came += Buffer.from(chunk).toString('latin1')
  } catch {
    // It broke, and that is what this is about.
  }
  return Buffer.from(came, 'latin1').toString()
}

/** Sends a background response and reads its events to the end, each time from the number of the last one there is. */
async function answered(lives: Lives, body: object, ended: (id: string) => void): Promise<Read> {
  const created = (await (
    await asked(lives, '/v1/responses', { method: 'POST', body: JSON.stringify(body) })
  )
    .json()
    .catch(() => undefined)) as { id: string } | undefined
  if (created === undefined) return answered(lives, body, ended)
  const read: Read = { id: created.id, events: [], connections: 0 }
  for (;;) {
    const last = read.events.at(-1)
    if (last !== undefined && /^response\.(completed|incomplete|failed)$/.test(last.type)) break
    const after = last === undefined ? '' : `&starting_after=${last.number}`
    const came = await whatCame(await asked(lives, `/v1/responses/${read.id}?stream=true${after}`))
    read.connections++
    const whole = came.slice(0, came.lastIndexOf('\n\n') + 2)
    // A sign of life has the number of the event before it.
    for (const event of whole === '' ? [] : eventsOf(whole)) if (event.number > (read.events.at(-1)?.number ?? -1)) read.events.push(event)
  }
  ended(read.id)
  return read
}

const bodyOf = (engine: keyof typeof counts, n: number): object =>
  engine === 'mock'
    ? { model: 'mock:v1', input: 'go on', seed: n % 7, background: true, reasoning: { effort: 'low' }, max_output_tokens: 60 }
    : { model: 'file:models/tinytales.gguf', input: 'Tell me a story about a fox.', seed: n % 7, background: true, max_output_tokens: 120 }

describe('background responses of a daemon that is killed again and again', () => {
  let dir: ReturnType<typeof temporaryDir>
  before(() => {
    dir = temporaryDir()
  })
  after(() => dir.remove())

  it('complete, and their streams are taken up without a byte lost or doubled', async () => {
    const lives = new Lives(dir.path, config)
    const ended = { mock: 0, tales: 0 }
    let over = false
    await lives.begin()
    const engines = ['tales', 'mock'] as const
    const all = Promise.all(
      engines.flatMap((engine) =>
        Array.from({ length: counts[engine] }, async (_, n) => ({
          engine,
          seed: n % 7,
          ...(await answered(lives, bodyOf(engine, n), () => ended[engine]++)),
        })),
      ),
    ).finally(() => (over = true))
    all.catch(() => undefined)
    for (let death = 0; death < deaths; death++) {
      // A task is given up after three runs: what was cut off in one life has the time to end in the next.
      const before = { ...ended }
      const enough = (): boolean => over || (ended.mock >= before.mock + 8 && ended.tales >= before.tales + 3)
      while (!enough()) await pause(5)
      await lives.end('SIGKILL')
      await lives.begin()
    }
    const reads = await all
    const { count } = lives
    const texts = new Map<string, string>()
    for (const { engine, seed, id, events } of reads) {
      const whole = await (await asked(lives, `/v1/responses/${id}?stream=true`)).text()
      assert.equal(events.map(({ raw }) => raw).join(''), whole)
      const response = (await (await asked(lives, `/v1/responses/${id}`)).json()) as { status: string; output: unknown }
      assert.ok(['completed', 'incomplete'].includes(response.status), response.status)
      assert.deepEqual(response, events.at(-1)?.data['response'])
      // The same seed gives the same text, in whatever life.
      const kind = `${engine} ${seed}`
      assert.equal(textOf(events), texts.get(kind) ?? textOf(events))
      texts.set(kind, textOf(events))
      assert.ok(textOf(events).length > 0)
    }
    assert.ok(count > 1, 'the daemon was never killed')
    assert.ok(
      reads.some(({ connections }) => connections > 1),
      'no stream was ever cut',
    )
    await lives.end('SIGTERM')
  }).timeout(1_200_000)
})

/** All pieces of text and reasoning, as they came. */
const textOf = (events: readonly WireEvent[]): string =>
  events.flatMap(({ type, data }) => (type.endsWith('.delta') ? [String(data['delta'])] : [])).join('')

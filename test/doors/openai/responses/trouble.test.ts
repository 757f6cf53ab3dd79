import assert from 'node:assert/strict'
import { startDoorRig, type DoorRig } from '../../../harness/door-rig.ts'
import { poolConfig } from '../../../harness/rig.ts'
import { until } from '../../../harness/wait.ts'
import { eventsOf, type WireEvent } from './parts.kit.ts'

const hello = { model: 'mock:v1', input: 'Hello' }

/** The events of a response as they come. */
class Following {
  events: WireEvent[] = []
  raw = ''
  over = false

  constructor(response: Response) {
    void this.read(response)
  }

  async until(count: number): Promise<void> {
    await until(() => this.events.length >= count)
  }

  private async read({ body }: Response): Promise<void> {
    assert.ok(body !== null)
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      this.raw += Buffer.from(chunk).toString()
      const whole = this.raw.slice(0, this.raw.lastIndexOf('\n\n') + 2)
      if (whole !== '') this.events = eventsOf(whole)
    }
    this.over = true
  }
}

describe('responses in trouble', () => {
  let door: DoorRig
  beforeEach(async () => {
    door = await startDoorRig({
      props: { replayable: false },
      pools: [poolConfig({ timeouts: { idle_ms: 3_600_000, wall_ms: 3_600_000 } })],
    })
  })
  afterEach(() => door.close())

  /** Posts a response and waits until the engine has it. */
  const posted = async (body: object, signal?: AbortSignal): Promise<{ readonly answer: Promise<Response> }> => {
    const calls = door.engine().calls.length
    const answer = door.post('/v1/responses', { ...hello, ...body }, signal)
    await until(() => door.engine().calls.length > calls)
    return { answer }
  }

  it('say that they live while there is nothing to say, without a number of their own', async () => {
    const { answer } = await posted({ stream: true })
    await door.clock.advance(15_000)
    const stream = new Following(await answer)
    await door.clock.advance(15_000)
    await stream.until(2)
    await door.clock.advance(15_000)
    await stream.until(3)
    assert.deepEqual(
      stream.events.map(({ type, number }) => [type, number]),
      [
        ['response.created', 0],
        ['response.in_progress', 1],
        ['response.in_progress', 1],
      ],
    )
    door.engine().call.say('Hi')
    await stream.until(6)
    await door.clock.advance(15_000)
    await stream.until(7)
    const sign = stream.events.at(-1)
    assert.deepEqual([sign?.type, sign?.number], ['response.in_progress', stream.events.at(-2)?.number])
    door.engine().call.say(' there.')
    door.engine().call.finish()
    await until(() => stream.over)
    const { id } = stream.events[0]?.data['response'] as { id: string }
    const rest = await (await door.get(`/v1/responses/${id}?stream=true&starting_after=${sign?.number ?? 0}`)).text()
    assert.equal(
      rest,
      stream.events
        .slice(7)
        .map(({ raw }) => raw)
        .join(''),
    )
  })

  it('say that they live to one that takes up a stream, too, and wait by name', async () => {
    const statusOf = async (id: string): Promise<unknown> =>
      ((await (await door.get(`/v1/responses/${id}`)).json()) as { status: unknown }).status
    const { answer } = await posted({ background: true })
    const { id } = (await (await answer).json()) as { id: string }
    const waiting = (await (await door.post('/v1/responses', { ...hello, background: true })).json()) as { id: string }
    assert.deepEqual([await statusOf(id), await statusOf(waiting.id)], ['in_progress', 'queued'])
    const stream = new Following(await door.get(`/v1/responses/${id}?stream=true`))
    await stream.until(2)
    await door.clock.advance(15_000)
    await stream.until(3)
    assert.equal(stream.events.at(-1)?.type, 'response.in_progress')
    for (const one of [id, waiting.id]) assert.equal((await door.post(`/v1/responses/${one}/cancel`, {})).status, 200)
    await until(() => stream.over)
  })

  it('fail in the stream once something was said, and never end as if they were whole', async () => {
    const { answer } = await posted({ stream: true })
    door.engine().call.say('Once')
    const stream = new Following(await answer)
    await stream.until(4)
    door.engine().call.fail()
    await until(() => stream.over)
    const last = stream.events.at(-1)
    assert.equal(last?.type, 'response.failed')
    const { status, error, output, id } = last.data['response'] as {
      status: string
      error: { code: string; message: string }
      output: { status: string }[]
      id: string
    }
    assert.deepEqual([status, error.code, output[0]?.status], ['failed', 'server_error', 'incomplete'])
    assert.match(error.message, /server error, overloaded/)
    const again = (await (await door.get(`/v1/responses/${id}`)).json()) as object
    assert.deepEqual(again, last.data['response'])
  })

  it('are a status where nothing was said', async () => {
    for (const stream of [true, false]) {
      const calls = door.engine().calls.length
      const answer = door.post('/v1/responses', { ...hello, stream })
      for (let run = 1; run <= 3; run++) {
        await until(() => door.engine().calls.length >= calls + run)
        door.engine().call.fail()
        await door.clock.advance(1000)
      }
      const response = await answer
      const { error } = (await response.json()) as { error: { type: string; message: string } }
      assert.deepEqual([response.status, error.type], [400, 'invalid_request_error'], error.message)
    }
  })

  it('of a client that goes are cancelled, and can be seen to be', async () => {
    const leave = new AbortController()
    const { answer } = await posted({ stream: true }, leave.signal)
    door.engine().call.say('Once')
    const response = await answer
    const id = `resp_${response.headers.get('x-task-id') ?? ''}`
    leave.abort()
    await until(() => door.clock.pending > 0)
    for (let i = 0; i < 50 && !door.engine().call.over; i++) await door.clock.advance(1000)
    assert.ok(door.engine().call.over)
    assert.equal(((await (await door.get(`/v1/responses/${id}`)).json()) as { status: string }).status, 'cancelled')
  })
})

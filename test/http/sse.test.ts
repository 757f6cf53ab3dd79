import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { fairly } from '../../src/http/fair-writes.ts'
import { sendStream } from '../../src/http/sse.ts'
import { FakeClock } from '../harness/fake-clock.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Frames that a test gives, and what has been done with them. */
class Source {
  done = false
  closed = 0
  looks = 0
  readonly frames: string[] = []
  readonly patient: boolean
  refusal?: () => Error | undefined
  private tell = (): void => undefined

  constructor(patient = false) {
    this.patient = patient
  }

  take(): string {
    this.looks++
    return this.frames.shift() ?? ''
  }

  onReadable(run: () => void): void {
    this.tell = run
  }

  close(): void {
    this.closed++
  }

  give(...frames: string[]): void {
    for (const frame of frames) {
      this.frames.push(frame)
      this.tell()
    }
  }

  end(): void {
    this.done = true
    this.tell()
  }
}

/** A response that takes what is written while the test says so. */
function response() {
  const none: Record<string, string> = {}
  const res = Object.assign(new EventEmitter(), {
    ...{ destroyed: false, headersSent: false, writableEnded: false, chunkedEncoding: false, takes: true },
    ...{ headers: none, written: [] as string[], req: { socket: new EventEmitter(), httpVersion: '1.1' } },
    writeHead: (_status: number, headers: Record<string, string>) => void (res.headers = headers),
    flushHeaders: () => void res.written.push('the head'),
    write: (text: string) => {
      res.written.push(text)
      return res.takes
    },
    end: () => void (res.writableEnded = true),
  })
  return res
}

describe('a stream of frames', () => {
  let clock: FakeClock
  let source: Source
  let res: ReturnType<typeof response>
  const send = (): Promise<void> => sendStream(res as unknown as ServerResponse, source as never, clock)
  beforeEach(() => {
    clock = new FakeClock()
    source = new Source()
    res = response()
  })
  afterEach(() => {
    assert.equal(clock.pending, 0, 'timers that are left')
  })
  const leave = (): void => {
    res.destroyed = true
    res.emit('close')
    assert.ok(source.closed > 0)
  }

  it('is kept by nobody on its way, and ends with its source', async () => {
    source.frames.push('a', 'b')
    await send()
    assert.deepEqual([res.headers['Cache-Control'], res.headers['X-Accel-Buffering']], ['no-store', 'no'])
    assert.deepEqual(res.written, ['a', 'b'])
    source.end()
    await turn()
    assert.deepEqual([res.writableEnded, clock.pending], [true, 0])
  })

  it('begins at once, and goes on when it is its turn where there is much of it', async () => {
    const long = 'x'.repeat(4 * 1024)
    source.frames.push(long, 'a')
    await send()
    assert.deepEqual(res.written, [long])
    await turn()
    assert.deepEqual(res.written, [long, 'a'])
    leave()
  })

  it('has its head out at once where there is no frame yet', async () => {
    await send()
    await turn()
    assert.deepEqual(res.written, ['the head'])
    leave()
  })

  it('shows that it lives every fifteen seconds, where that is taken', async () => {
    await send()
    await turn()
    res.written.length = 0
    await clock.advance(30_000)
    assert.deepEqual(res.written, [': keep-alive\n\n', ': keep-alive\n\n'])
    res.takes = false
    source.give('a')
    await turn()
    await clock.advance(60_000)
    assert.equal(res.written.length, 3)
    res.takes = true
    source.give('b')
    res.emit('drain')
    await turn()
    await clock.advance(15_000)
    assert.deepEqual(res.written.slice(2), ['a', 'b', ': keep-alive\n\n'])
    leave()
  })

  it('is looked at once for all that has come together, at once or when it is its turn', async () => {
    for (const patient of [false, true]) {
      source = new Source(patient)
      res = response()
      await send()
      await turn()
      const looks = source.looks
      source.give('a', 'b', 'c')
      await Promise.resolve()
      assert.deepEqual(res.written.slice(1), patient ? [] : ['a', 'b', 'c'])
      await turn()
      assert.deepEqual([res.written.slice(1), source.looks], [['a', 'b', 'c'], looks + 4])
      leave()
    }
  })

  it('that catches up takes its share of a round', async () => {
    await send()
    await turn()
    source.frames.push(...Array<string>(5).fill('x'.repeat(64 * 1024)))
    const order: string[] = []
    res.emit('drain')
    fairly(() => order.push('another'))
    await turn()
    assert.deepEqual([res.written.length, order], [6, []])
    await turn()
    assert.deepEqual(order, ['another'])
    leave()
  })

  it('is over for its source when its connection breaks', async () => {
    await send()
    await turn()
    res.emit('error', new Error('reset'))
    assert.equal(source.closed, 1)
    assert.equal(clock.pending, 0)
  })

  it('that may be refused is refused before its head, or begins with its first frames', async () => {
    const refused = new Error('refused')
    source.refusal = () => refused
    source.done = true
    await assert.rejects(send(), refused)
    assert.deepEqual([source.closed, clock.pending, res.listenerCount('close')], [1, 0, 1])
    source = new Source()
    source.refusal = () => undefined
    const sent = send()
    source.give('a')
    await sent
    await turn()
    assert.deepEqual([res.written, clock.pending], [['a'], 1])
    leave()
  })

  it('whose client leaves before its head is let go', async () => {
    source.refusal = () => undefined
    const sent = send()
    leave()
    await sent
    assert.deepEqual(res.written, [])
  })
})

import assert from 'node:assert/strict'
import { createClient, type Client } from '../../sdk/src/index.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { untilAnswer, until } from '../harness/wait.ts'
import { TestTerminal } from './terminal.ts'

const held = { prefill_ms: 0, token_ms: 600_000, tokens: 8 }
const down = '\x1b[B'
const right = '\x1b[C'

describe('top, on a terminal', () => {
  let daemon: TestDaemon
  let client: Client
  let terminal: TestTerminal | undefined
  beforeEach(async () => {
    const one = { replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 100 }, mock: held }
    daemon = await startDaemon({ pools: [mockPool(one), mockPool({ id: 'other', model: 'mock:other' })] })
    client = createClient({ baseUrl: daemon.url, key: keys.data })
    for (let i = 0; i < 40; i++) await client.tasks.create({ task_id: `t-${i}`, model_ref: 'mock:v1', prompt: 'Hello' })
    await untilAnswer(
      () => client.tasks.get('t-0'),
      ({ state }) => state === 'running',
    )
  })
  afterEach(async () => {
    terminal?.close()
    await daemon.stop()
  })

  const open = (env: Readonly<Record<string, string>> = {}): TestTerminal =>
    (terminal = new TestTerminal(['top', '--every', '0.05'], { ORCHD_URL: daemon.url, ORCHD_KEY: keys.all, ...env }))
  const shows = async (pattern: RegExp): Promise<void> => {
    await until(() => pattern.test(terminal!.screen))
  }

  it('shows pools, and who runs and waits in order, with owner, predicted start and why', async () => {
    const { raw } = open()
    assert.equal(raw, '')
    await shows(/q quit$/)
    assert.match(terminal!.screen, /^orchestratord http:\S+ +1 running, 39 waiting$/m)
    assert.match(terminal!.screen, /^> mock +mock +mock:v1 +ready +1 +1 +39$/m)
    assert.match(terminal!.screen, /^> runs +t-0 +data +interactive +\S+ s +- +\d+ % +r0 +-$/m)
    assert.match(terminal!.screen, /^ {2}0 +t-1 +data +interactive +\S+ s +\S+ (s|min|h|d) +\d+ % +- +starts with the next free slot$/m)
    terminal!.type('n')
    await shows(/^> +20 +t-21 [^]*^ {2}page 2$/m)
  })

  it('cancels the one that is chosen, once that is confirmed', async () => {
    open()
    await shows(/^> runs +t-0/m)
    terminal!.type(down + down)
    await shows(/^> 1 +t-2 /m)
    terminal!.type('c')
    await shows(/^Cancel t-2\? y\/n$/m)
    terminal!.type('n')
    await shows(/q quit$/)
    terminal!.type('cy')
    await shows(/^t-2 is canceled\.$/m)
    assert.equal((await client.tasks.get('t-2')).state, 'canceled')
    await shows(/^> 1 +t-3 /m)
    assert.equal((await client.tasks.get('t-1')).state, 'queued')
  })

  it('drains and resumes the pool that is chosen', async () => {
    open()
    await shows(/^> mock/m)
    terminal!.type(right)
    await shows(/^> other/m)
    terminal!.type('d')
    await shows(/^Drain other: .* y\/n$/m)
    terminal!.type('y')
    await shows(/^> other +mock +mock:other +draining/m)
    terminal!.type('r')
    await shows(/^> other +mock +mock:other +ready/m)
  })

  it('goes at q, and leaves the terminal as it was', async () => {
    open()
    await shows(/q quit$/)
    terminal!.type('q')
    assert.equal(await terminal!.ended, 0)
    assert.ok(terminal!.raw.endsWith('\x1b[?25h\x1b[?1049l'))
    open()
    await shows(/q quit$/)
    terminal!.type('\x03')
    assert.equal(await terminal!.ended, 130)
  })

  it('writes what has changed and nothing else', async () => {
    open()
    // A frame comes in pieces; this is its end.
    await shows(/^> runs +t-0[^]*q quit$/m)
    const at = terminal!.raw.length
    await client.pools.drain('other', { deadline_ms: 0 }).catch(() => undefined)
    terminal!.type(down)
    await shows(/^> 0 +t-1 /m)
    const written = terminal!.raw.slice(at)
    // The screen is never cleared, and what stays is never written again.
    assert.doesNotMatch(written, /\x1b\[2J|orchestratord|POOL|q quit/)
    assert.match(written, /\x1b\[\d+;1H/)
  })

  it('has no colours where NO_COLOR is set', async () => {
    open({ NO_COLOR: '1' })
    await shows(/q quit$/)
    assert.doesNotMatch(terminal!.raw, /\x1b\[(1|2|7|3\d)m/)
    assert.match(terminal!.screen, /^> runs +t-0/m)
  })

  it('says where the daemon is gone, until it is back', async () => {
    open()
    await shows(/q quit$/)
    const { port } = new URL(daemon.url)
    await daemon.stop()
    await shows(/^no daemon answers at /m)
    daemon = await startDaemon({ listen: `127.0.0.1:${port}` })
    await shows(/q quit$/)
  })
})

import assert from 'node:assert/strict'
import { createClient, type Client } from '../../sdk/src/index.ts'
import type { Principal } from '../../src/domain/principal.ts'
import type { Services } from '../../src/handlers/services.ts'
import { keys, mockPool, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { untilAnswer } from '../harness/wait.ts'
import { TestTerminal } from './terminal.ts'

const waiting = 10_000
const rows = 40
/** Tasks at once while the queue is filled. */
const lanes = 256
const task = { model_ref: 'mock:v1', prompt: 'Hello', determinism: 'best_effort', kv_hint: 'cold', output_mode: 'text' } as const
const owner: Principal = { name: 'all', roles: ['data', 'control'] }

describe('top, with 10,000 tasks that wait', () => {
  let daemon: TestDaemon
  let client: Client
  let terminal: TestTerminal
  const asked: string[] = []

  before(async () => {
    const held = { prefill_ms: 0, token_ms: 600_000, tokens: 8 }
    const pool = { replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: waiting + 1 }, mock: held, timeouts: patient }
    const { promise: admission, resolve } = Promise.withResolvers<Services['admission']>()
    const services = (given: Services): Services => {
      resolve(given.admission)
      return given
    }
    daemon = await startDaemon({ pools: [mockPool(pool)] }, { services })
    client = createClient({ baseUrl: daemon.url, key: keys.all })
    const { admit } = await admission.then((found) => ({ admit: found.admit.bind(found) }))
    const fill = async (_: unknown, lane: number): Promise<void> => {
      for (let n = lane; n <= waiting; n += lanes) await admit(owner, { task_id: `t-${String(n).padStart(5, '0')}`, ...task }, `c-${n}`)
    }
    // By the daemon's own door it would be half a minute's work of two cores.
    await Promise.all(Array.from({ length: lanes }, fill))
    daemon.server.on('request', ({ url = '' }: { readonly url?: string }) => asked.push(url))
    terminal = new TestTerminal(['top', '--every', '0.05'], { ORCHD_URL: daemon.url, ORCHD_KEY: keys.all }, 140, rows)
    await shows(/q quit$/)
  }).timeout(600_000)
  after(async () => {
    terminal.close()
    await daemon.stop()
  })

  const shows = (pattern: RegExp): Promise<unknown> =>
    untilAnswer(
      () => Promise.resolve(terminal.screen),
      (screen) => pattern.test(screen),
    )
  /** What is written from now until so many more frames are on the screen. */
  async function frames(count: number): Promise<string[]> {
    const [at, shown] = [terminal.raw.length, terminal.frames]
    await untilAnswer(
      () => Promise.resolve(terminal.frames - shown),
      (more) => more > count,
    )
    return terminal.raw
      .slice(at)
      .split(/(?=\x1b\[\?2026h)/)
      .slice(1, count + 1)
  }

  it('fills the screen with who is next, and tells of the rest', async () => {
    await shows(/^orchestratord http:\S+ +1 running, 10000 waiting$/m)
    const lines = terminal.screen.split('\n')
    assert.equal(lines.length, rows)
    assert.equal(lines.filter((line) => / t-\d{5} /.test(line)).length, rows - 8)
    assert.match(terminal.screen, /^ {2}page 1, n for the next$/m)
  })

  it('asks for what the screen holds, and for no more', () => {
    const allowed = ['/v1/pools', `/v1/pools/mock/queue?limit=${rows - 8}`]
    assert.deepEqual([...new Set(asked)].sort(), allowed)
  })

  it('writes the cells that change, each frame at once, and clears nothing', async () => {
    await frames(1)
    const { put } = terminal
    const before = { ...put }
    const [asks, seen] = [asked.length, await frames(5)]
    const looks = (asked.length - asks) / 2
    for (const frame of seen) {
      assert.match(frame, /\x1b\[\?2026l$/)
      assert.doesNotMatch(frame, /\x1b\[[0-3]?J|[\r\n]|\x1b\[\?1049/)
    }
    const [all, changed] = [put.all - before.all, put.new - before.new]
    assert.ok(changed > 0)
    assert.equal(all, changed)
    // A frame follows a look: nothing is drawn that nobody asked for.
    assert.ok(seen.length <= looks + 1, `${seen.length} frames of ${looks} looks`)
  })

  it('shows at once what a cancel moves up, however many wait', async () => {
    const first = /^ {2}( *0) +(t-\d{5}) /m.exec(terminal.screen)?.[2] ?? assert.fail(terminal.screen)
    const second = /^ {2}( *1) +(t-\d{5}) /m.exec(terminal.screen)?.[2] ?? assert.fail(terminal.screen)
    await client.tasks.cancel(first)
    await shows(new RegExp(`^ {2} *0 +${second} `, 'm'))
    await shows(/ 9999 waiting$/m)
    assert.doesNotMatch(terminal.screen, new RegExp(first))
  })

  it('turns pages', async () => {
    terminal.type('n')
    await shows(new RegExp(`^> +${rows - 9} +t-[^]*^ {2}page 2, n for the next$`, 'm'))
    terminal.type('p')
    await shows(/^> runs [^]*^ {2}page 1, n for the next$/m)
  })
})

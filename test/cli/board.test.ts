import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Board } from '../../cli/top/board.ts'
import { createClient } from '../../sdk/src/index.ts'
import { until } from '../harness/wait.ts'

const pool = (pool_id: string): object => ({
  pool_id,
  engine: 'mock',
  model_ref: 'mock:v1',
  state: 'ready',
  slots: 1,
  slots_busy: 0,
  queue_depth: 1,
})
const pools = { pools: [pool('one'), pool('two')] }
const queueOf = (pool_id: string): object => ({
  pool_id,
  slots: 1,
  entries: [{ task_id: `of-${pool_id}`, state: 'queued', priority: 'interactive', age_ms: 0 }],
})

describe('what top knows', () => {
  let server: Server
  let board: Board
  /** Answers that are held, by their path. */
  const held = new Map<string, ServerResponse>()
  let hold = ''
  const answer = (path: string, response: ServerResponse): void => {
    const body = path === '/v1/pools' ? pools : queueOf(path.split('/')[3] ?? '')
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  }

  beforeEach(async () => {
    hold = ''
    held.clear()
    server = createServer(({ url = '' }, response) => {
      const path = url.split('?')[0] ?? ''
      if (path === hold) held.set(path, response)
      else answer(path, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    board = new Board(createClient({ baseUrl: url }), url)
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const never = new AbortController().signal

  it('keeps the pool that was turned to while the queue of another was on its way', async () => {
    hold = '/v1/pools/one/queue'
    const look = board.refresh(30, never)
    await until(() => held.size === 1)
    board.press('right')
    answer(hold, held.get(hold) ?? assert.fail())
    await look
    assert.match(board.lines().join('\n'), /^> two /m)
    assert.doesNotMatch(board.lines().join('\n'), /of-one/)
    await board.refresh(30, never)
    assert.match(board.lines().join('\n'), /of-two/)
  })

  it('gives up a look that is not answered, and looks again', async () => {
    hold = '/v1/pools'
    await assert.rejects(board.refresh(30, never, 1), /^CommandError: http:\S+ has not answered for 0\.001 s$/)
    hold = ''
    await board.refresh(30, never)
    assert.match(board.lines().join('\n'), /of-one/)
  })

  it('is stopped by its signal, whose reason it tells', async () => {
    hold = '/v1/pools'
    const stop = new AbortController()
    const look = board.refresh(30, stop.signal)
    await until(() => held.size === 1)
    stop.abort(new Error('stopped'))
    await assert.rejects(look, /stopped/)
  })
})

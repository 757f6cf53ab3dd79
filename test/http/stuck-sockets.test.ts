import assert from 'node:assert/strict'
import { EventEmitter, on } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { watchSockets } from '../../src/http/stuck-sockets.ts'
import { keys, startDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { inTime, untilAnswer } from '../harness/wait.ts'

const request = (path: string, key: string = keys.data): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\n\r\n`

describe('connections', () => {
  const sockets: Socket[] = []
  const open = (port: number, text: string): Socket => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write(text)
    return socket
  }
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  /** The first line of what comes, and all of it once the connection has ended. */
  const answerOf = async (socket: Socket): Promise<string> => {
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text
  }

  it('that take nothing of what waits for them for a minute are closed, and no others', async () => {
    const clock = new FakeClock()
    const bytes = Buffer.alloc(16 << 20)
    const server = createServer((req, res) => {
      if (req.url === '/large') res.end(bytes)
      else res.write('a')
    })
    const stop = watchSockets(server, 100, clock)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const ends = new Map<string, Socket>()
    server.on('request', (req) => void ends.set(String(req.url), req.socket))
    open(port, request('/large')).pause()
    open(port, request('/idle')).pause()
    await untilAnswer(
      () => Promise.resolve(ends.size),
      (count) => count === 2,
    )
    const [stuck, idle] = [ends.get('/large'), ends.get('/idle')]
    // What fits into the buffers of the system has gone out when nothing is taken between two looks.
    const taken = (): Promise<number> => Promise.resolve(Number(stuck?.bytesWritten) - Number(stuck?.writableLength))
    let before = -1
    await untilAnswer(taken, (now) => {
      const settled = now === before
      before = now
      return settled
    })
    await clock.advance(60_000)
    assert.equal(stuck?.destroyed, false, 'it has been looked at for 45 s')
    await clock.advance(15_000)
    assert.equal(stuck.destroyed, true)
    await clock.advance(600_000)
    assert.equal(idle?.destroyed, false, 'nothing waits for it')
    stop()
    assert.equal(clock.pending, 0)
    server.closeAllConnections()
    server.close()
  })

  it('are watched from their last progress on, and no more once they are closed', async () => {
    const clock = new FakeClock()
    const server = new EventEmitter() as Server
    const stop = watchSockets(server, 100, clock)
    class Watched extends EventEmitter {
      bytesWritten = 100
      waiting = 50
      destroyed = 0
      looks = 0
      get writableLength(): number {
        this.looks++
        return this.waiting
      }
      destroy(): void {
        this.destroyed++
      }
    }
    const socket = new Watched()
    server.emit('connection', socket as never)
    await clock.advance(60_000)
    await clock.advance(14_999)
    assert.equal(socket.destroyed, 0)
    socket.waiting = 0
    await clock.advance(15_000)
    socket.waiting = 60
    await clock.advance(30_000)
    socket.bytesWritten += 10
    socket.waiting += 10
    await clock.advance(30_000)
    assert.equal(socket.destroyed, 0, 'everything had gone out between')
    await clock.advance(15_000)
    assert.equal(socket.destroyed, 1)
    socket.emit('close')
    const before = socket.looks
    await clock.advance(60_000)
    assert.equal(socket.looks, before)
    stop()
  })

  it('beyond limits.connections are not taken', async () => {
    const server = createServer((_, res) => void res.end())
    const stop = watchSockets(server, 1, new FakeClock())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const first = open(port, request('/'))
    await new Promise((resolve) => first.once('data', resolve))
    const second = open(port, '')
    await new Promise((resolve) => second.once('close', resolve))
    stop()
    first.destroy()
    server.close()
  })

  it('beyond limits.connections_per_key are refused and closed, and there is room again when one has gone', async () => {
    const daemon = await startDaemon({ limits: { connections_per_key: 2 } })
    const port = Number(new URL(daemon.url).port)
    const first = open(port, request('/v1/pools'))
    for (const socket of [first, open(port, request('/v1/pools'))]) await new Promise((resolve) => socket.once('data', resolve))
    first.write(request('/v1/pools'))
    const text = await inTime(answerOf(open(port, request('/v1/pools'))), 'a connection too many to be answered and closed')
    assert.match(text, /^HTTP\/1\.1 429 /)
    assert.match(text, /connections_per_key/)
    assert.match(text, /\r\nRetry-After: 1\r\n/i)
    assert.equal((await call(daemon.url, '/v1/pools', { key: keys.other })).status, 200, 'another key may')
    first.destroy()
    await untilAnswer(
      () => call(daemon.url, '/v1/pools', { key: keys.data }),
      ({ status }) => status === 200,
    )
    await daemon.stop()
  })

  it('that bring requests of several keys are the last one’s, and the one before has its place again', async () => {
    const daemon = await startDaemon({ limits: { connections_per_key: 1 } })
    const port = Number(new URL(daemon.url).port)
    const statusOf = async (socket: Socket): Promise<string> => {
      for await (const chunk of on(socket, 'data')) {
        const [, status] = /^HTTP\/1\.1 (\d+)/.exec(String(chunk[0])) ?? []
        if (status !== undefined) return status
      }
      return ''
    }
    try {
      const shared = open(port, request('/v1/pools', keys.data))
      assert.equal(await statusOf(shared), '200')
      shared.write(request('/v1/pools', keys.other))
      assert.equal(await statusOf(shared), '200')
      assert.equal(await statusOf(open(port, request('/v1/pools', keys.data))), '200', 'the first key has room again')
      assert.equal(await statusOf(open(port, request('/v1/pools', keys.other))), '429', 'the last one has its connection')
    } finally {
      await daemon.stop()
    }
  })
})

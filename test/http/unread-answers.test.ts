import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { LargeBodies } from '../../src/http/large-body.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { until, untilAnswer } from '../harness/wait.ts'

describe('answers that nobody reads', () => {
  const sockets: Socket[] = []
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await daemon.stop()
  })

  it('are bounded for each key: the one that is left unread the longest loses its connection, and others are served', async () => {
    const content = 'x'.repeat(4_000_000)
    const made = await call(daemon.url, '/v1/artifacts', {
      ...{ method: 'POST', key: keys.data },
      body: { kind: 'plan', content, tags: [], metadata: {} },
    })
    const path = `/v1/artifacts/${String(made.json['id'])}`
    const asked = 25
    let requests = 0
    daemon.server.on('request', () => requests++)
    for (let i = 0; i < asked; i++) {
      const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.pause()
      // An answer that the kernel's buffers take whole is out of our hands: its connection is over, too.
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${keys.data}\r\n\r\n`)
    }
    const open = (): Promise<number> => new Promise((resolve) => daemon.server.getConnections((_, count) => resolve(count)))
    await untilAnswer(open, (count) => requests === asked && count <= 17)
    const read = await call(daemon.url, path, { key: keys.data })
    assert.equal(String(read.json['content']).length, content.length)
  })

  it('do not count any more once they are read: one that is read slowly stays beside them', async () => {
    const bodies = new LargeBodies()
    const body = 'x'.repeat(30_000_000)
    const slow = Promise.withResolvers<Socket>()
    const server = createServer((req, res) => {
      if (req.url === '/slow') slow.resolve(req.socket)
      bodies.send(res, body, 'key')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const reader = connect(port, '127.0.0.1')
    sockets.push(reader)
    reader.pause().write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const left = await slow.promise
    for (let read = 0; read < 2; read++) assert.equal((await (await fetch(`http://127.0.0.1:${port}/`)).text()).length, body.length)
    assert.equal(left.destroyed, false)
    server.closeAllConnections()
    server.close()
  })

  it('cost a key no more connections than it takes to be within its bound', async () => {
    const bodies = new LargeBodies()
    const body = 'x'.repeat(24_000_000)
    const answers: ServerResponse[] = []
    const server = createServer((_, res) => {
      answers.push(res)
      bodies.send(res, body, 'key')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      for (let asked = 1; asked <= 3; asked++) {
        const reader = connect(port, '127.0.0.1').on('error', () => undefined)
        sockets.push(reader)
        reader.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
        await until(() => answers.length === asked, 'the next answer to begin')
      }
      assert.deepEqual(
        answers.map(({ destroyed }) => destroyed),
        [true, false, false],
      )
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('are written out as they are read: a long text is the same JSON in pieces', async () => {
    const bodies = new LargeBodies()
    const text = '"é🦢\n'.repeat(2_000_000)
    const server = createServer((req, res) => {
      bodies.sendJson(res, req.url === '/alone' ? { text } : { before: 1, text, after: [null] }, 'key')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const read = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}${path}`)).json()
    assert.deepEqual(await read('/'), { before: 1, text, after: [null] })
    assert.deepEqual(await read('/alone'), { text })
    server.closeAllConnections()
    server.close()
  })

  it('have their length in bytes, whatever the text is', async () => {
    const bodies = new LargeBodies()
    const texts = Array.from({ length: 100 }, () => '"é🦢'.repeat(1000))
    const server = createServer((_, res) => bodies.sendJson(res, texts, 'key'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`)
      assert.equal(answer.headers.get('content-length'), String(Buffer.byteLength(JSON.stringify(texts))))
      assert.deepEqual(await answer.json(), texts)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
  it('are written while they are taken, some of it in each round, and no more where they are not', async () => {
    const bodies = new LargeBodies()
    const written: number[] = []
    let takes = true
    const res = Object.assign(new EventEmitter(), {
      ...{ destroyed: false, headersSent: true, setHeader: () => assert.fail('the head is out') },
      write: (piece: Buffer) => {
        written.push(piece.length)
        return takes
      },
      end: () => written.push(0),
    })
    bodies.send(res as unknown as ServerResponse, 'x'.repeat(20 * 64 * 1024), 'key')
    await new Promise((resolve) => setImmediate(resolve))
    const first = written.length
    assert.ok(first > 0 && first <= 5, `${first} pieces in one round`)
    takes = false
    await until(() => written.length > first, 'a piece that is not taken')
    const before = written.length
    for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(written.length, before)
    takes = true
    res.emit('drain')
    await until(() => written.at(-1) === 0, 'the end')
    assert.equal(
      written.reduce((sum, length) => sum + length, 0),
      20 * 64 * 1024,
    )
  })
})

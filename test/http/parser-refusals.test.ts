import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { mock } from 'node:test'
import { refuseWithEnvelope } from '../../src/http/parser-refusals.ts'

/** A connection whose request the parser refuses. */
function connection(fields: object = {}) {
  const socket = Object.assign(new EventEmitter(), {
    ...{ writable: true, writableEnded: false, destroyed: false, written: [] as (string | undefined)[] },
    end: (text?: string) => void socket.written.push(text),
    destroy: () => void (socket.destroyed = true),
    ...fields,
  })
  return socket
}

describe('what the parser refuses', () => {
  const server = new EventEmitter() as Server
  refuseWithEnvelope(server)
  const refuse = (socket: ReturnType<typeof connection>, code?: string): void => {
    server.emit('clientError', Object.assign(new Error('no'), { code }), socket as never)
  }
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  for (const [code, status] of [
    ['HPE_HEADER_OVERFLOW', 431],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_INVALID_METHOD', 400],
    ['HPE_INVALID_EOF_STATE', 400],
    ['ANYTHING_ELSE', 400],
    [undefined, 400],
  ] as const)
    it(`has status ${status}, and a connection that is not kept: ${code}`, () => {
      const socket = connection()
      refuse(socket, code)
      assert.match(String(socket.written), new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nConnection: close\r\n`))
      mock.timers.tick(1999)
      assert.equal(socket.destroyed, false)
      mock.timers.tick(1)
      assert.equal(socket.destroyed, true, 'a client that reads nothing keeps it for two seconds')
    })

  it('ends an answer that has begun as it stands', () => {
    const socket = connection({ _httpMessage: { headersSent: true, req: { complete: false } } })
    refuse(socket)
    assert.deepEqual(socket.written, [undefined])
  })

  it('lets the answer of a whole request out, and nothing after it', () => {
    const underWay = { shouldKeepAlive: true, headersSent: false, req: { complete: true } }
    const socket = connection({ _httpMessage: underWay })
    refuse(socket)
    mock.timers.tick(10_000)
    assert.deepEqual([socket.written, socket.destroyed, underWay.shouldKeepAlive], [[], false, false])
  })

  it('says nothing to a connection that is over', () => {
    for (const over of [{ writableEnded: true }, { destroyed: true }, { writable: false }]) {
      const socket = connection(over)
      refuse(socket)
      assert.deepEqual(socket.written, [])
    }
    const unwritable = connection({ writable: false })
    refuse(unwritable)
    assert.equal(unwritable.destroyed, true)
  })

  it('may be a proxy that is asked for, whose client may break off', () => {
    const socket = connection()
    server.emit('connect', {} as never, socket as never, Buffer.alloc(0))
    assert.match(String(socket.written), /^HTTP\/1\.1 400 [^]*CONNECT/)
    socket.emit('error', new Error('reset'))
  })
})

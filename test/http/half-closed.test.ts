import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { mock } from 'node:test'
import { askBeforeHead, onHalfClosed } from '../../src/http/half-closed.ts'

/** An answer that is waited for, and its connection. */
function waiting(fields: object = {}, request: object = {}) {
  const socket = Object.assign(new EventEmitter(), { readableEnded: false, ...request })
  let continues = 0
  const res = Object.assign(new EventEmitter(), {
    headersSent: false,
    writeContinue: () => void continues++,
    req: { socket, httpVersion: '1.1', ...request },
    ...fields,
  })
  return { res: res as unknown as ServerResponse, socket, continues: () => continues }
}

describe('a client that has closed its sending side', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  it('is asked at once and for a second whether it is there, and no more once the answer is over', () => {
    let asked = 0
    const { res, socket } = waiting()
    onHalfClosed(res, () => asked++)
    mock.timers.tick(10_000)
    assert.equal(asked, 0, 'it has not closed it yet')
    socket.emit('end')
    assert.equal(asked, 1)
    mock.timers.tick(100)
    assert.equal(asked, 5)
    mock.timers.tick(900)
    assert.equal(asked, 7)
    mock.timers.tick(10_000)
    assert.equal(asked, 7)
  })

  it('is asked where it had closed it before', () => {
    let asked = 0
    onHalfClosed(waiting({}, { readableEnded: true }).res, () => asked++)
    assert.equal(asked, 1)
  })

  it('leaves nothing with its connection, which may bring more requests', () => {
    let asked = 0
    const { res, socket } = waiting()
    onHalfClosed(res, () => asked++)
    res.emit('close')
    assert.equal(socket.listenerCount('end'), 0)
    const other = waiting({}, { readableEnded: true })
    onHalfClosed(other.res, () => asked++)
    other.res.emit('close')
    mock.timers.tick(10_000)
    assert.equal(asked, 1)
  })

  it('is asked by a head that is none, while there is no other and its HTTP has one', () => {
    for (const [fields, request, times] of [
      [{}, {}, 1],
      [{ headersSent: true }, {}, 0],
      [{}, { httpVersion: '1.0' }, 0],
    ] as const) {
      const { res, continues } = waiting(fields, { readableEnded: true, ...request })
      askBeforeHead(res)
      assert.equal(continues(), times)
    }
  })
})

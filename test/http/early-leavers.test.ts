import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createApp, serverOf } from '../../src/http/server.ts'
import { sendComing } from '../../src/http/coming.ts'
import { operations } from '../../src/http/operations.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { newGate } from '../harness/gate.ts'
import { inTime, until } from '../harness/wait.ts'

const request = 'GET /v1/tasks/a/stream HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('a client that leaves', () => {
  let server: Server | undefined
  const clock = new FakeClock()
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  const asked = async (listening: Server): Promise<Socket> => {
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const client = connect((listening.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined)
    client.write(request)
    return client
  }

  for (const kind of ['stream', 'coming'] as const)
    it(`before its answer begins has what was made for it closed (${kind})`, async () => {
      const begun = newGate()
      const ready = newGate()
      const closed = newGate()
      const streamTask = async (): Promise<object> => {
        begun.resolve()
        await ready.promise
        return { status: 200, [kind]: { close: closed.resolve } }
      }
      const handlers = Object.fromEntries([...operations.keys()].map((id) => [id, streamTask])) as unknown as Handlers
      const app = createApp({
        ...{ handlers, clock, body_bytes: 1, door_body_bytes: 1, file_bytes: 1, origins: [], connections_per_key: 9, strict: true },
        auth: { require_api_key: false, keys: [] },
        report: (error) => assert.fail(String(error)),
        isReady: () => true,
        metrics: { contentType: 'text/plain', scrape: () => Promise.resolve('') },
      })
      const listening = serverOf(app)
      const left = new Promise<void>((resolve) => {
        listening.on('request', (_req, res) => void res.once('close', () => resolve()))
      })
      const client = await asked(listening)
      await inTime(begun.promise, 'the request to come')
      client.resetAndDestroy()
      await inTime(left, 'the client to be missed')
      ready.resolve()
      await inTime(closed.promise, 'what was made for it to be closed')
    })

  for (const ends of ['well', 'badly'] as const)
    it(`while blanks keep its connection open gets no more of them, and nobody waits for its answer, which ends ${ends}`, async () => {
      const closed = newGate()
      const answer = Promise.withResolvers<unknown>()
      const sent = Promise.withResolvers<unknown>()
      const client = await asked(
        createServer((_req, res) => {
          sent.resolve(sendComing(res, { value: answer.promise, close: closed.resolve }, clock, (text) => res.end(text)))
        }),
      )
      await until(() => clock.pending === 1, 'the answer to be waited for')
      await clock.advance(30_000)
      let text = ''
      client.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      await until(() => text.endsWith('\r\n\r\n1\r\n \r\n1\r\n \r\n'), 'two blanks')
      assert.match(text, /^HTTP\/1\.1 200 /)
      client.resetAndDestroy()
      await inTime(closed.promise, 'the client to be missed')
      assert.equal(clock.pending, 0)
      if (ends === 'well') answer.resolve({})
      else answer.reject(new Error('the task of a client that has gone'))
      await sent.promise
    })
})

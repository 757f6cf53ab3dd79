import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { DomainError, replyErrors, StreamError, streamErrors, type ReplyKind, type StreamKind } from '../../src/domain/errors.ts'
import { errorEnvelope, nativeShape } from '../../src/middleware/error-envelope.ts'
import { beginRequest } from '../../src/middleware/request-state.ts'

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly reported: readonly unknown[]
}

/** What a client gets where a handler throws this. */
async function answerTo(thrown: Error): Promise<Answer> {
  const reported: unknown[] = []
  const app = express()
  app.use((req, _res, next) => {
    beginRequest(req, 'c1')
    next(thrown)
  })
  app.use(
    errorEnvelope({
      report: (error) => void reported.push(error),
      strict: true,
      declared: () => undefined,
      shapeOf: () => nativeShape,
    }),
  )
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const res = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return { status: res.status, body: (await res.json()) as Record<string, unknown>, reported }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('error envelope', () => {
  it('answers with every failure that may be a reply, under its code', async () => {
    for (const kind of Object.keys(replyErrors) as ReplyKind[]) {
      const { status, body } = await answerTo(new DomainError(kind, 'why'))
      assert.deepEqual([body['code'], body['message']], [replyErrors[kind].code, 'why'])
      assert.equal(status >= 400 && status < 600, true)
      assert.equal(status === 500, kind === 'internal')
    }
  })

  it('takes a failure of a stream for a mistake of ours: nothing of it is told, and the log has it', async () => {
    for (const kind of Object.keys(streamErrors) as StreamKind[]) {
      const thrown = new StreamError(kind, 'why')
      const { status, body, reported } = await answerTo(thrown)
      assert.deepEqual([status, body['code'], reported], [500, 'INTERNAL', [thrown]])
      assert.equal(String(body['message']).includes('why'), false)
    }
  })

  it('tells no more of a message than the contract says, in whole characters', async () => {
    const { body } = await answerTo(new DomainError('invalid_params', `${'x'.repeat(1999)}\u{1f98a} and more`))
    assert.equal(body['message'], `${'x'.repeat(1999)}\ufffd`)
  })
})

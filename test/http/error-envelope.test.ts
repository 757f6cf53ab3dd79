import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { DomainError, replyErrors, StreamError, streamErrors, type ReplyKind, type StreamKind } from '../../src/domain/errors.ts'
import { errorEnvelope, nativeShape } from '../../src/middleware/error-envelope.ts'
import { attachState } from '../../src/middleware/request-state.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
  readonly reported: readonly unknown[]
}

/** What a client gets where a handler throws this. */
async function answerTo(thrown: Error, begun = false): Promise<Answer> {
  const reported: unknown[] = []
  const app = express()
  app.use((req, res, next) => {
    attachState(req, 'c1')
    if (begun) res.writeHead(200).write('{')
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
    return { status: res.status, headers: res.headers, body: (await res.json()) as Record<string, unknown>, reported }
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
  it('says when to come back: in whole milliseconds and in whole seconds, at least one of each', async () => {
    for (const [told, ms, seconds] of [
      [undefined, 1000, 1],
      [0, 1, 1],
      [0.2, 1, 1],
      [1000, 1000, 1],
      [1000.5, 1001, 2],
      [61_000, 61_000, 61],
    ] as const) {
      const { headers, body } = await answerTo(new DomainError('queue_full', 'why', told === undefined ? {} : { retry_after_ms: told }))
      assert.deepEqual([headers.get('x-backoff-ms'), headers.get('retry-after'), body['retry_after_ms']], [`${ms}`, `${seconds}`, ms])
    }
    const { headers } = await answerTo(new DomainError('conflict', 'why', { retry_after_ms: 5 }))
    assert.deepEqual([headers.get('x-backoff-ms'), headers.get('retry-after')], [null, null])
  })

  it('has the log told what a failure of ours was made of, and of no other', async () => {
    const made = new DomainError('pool_unready', 'why', { cause: new Error('the disk') })
    assert.deepEqual((await answerTo(made)).reported, [made])
    assert.deepEqual((await answerTo(new DomainError('pool_unready', 'why'))).reported, [])
  })

  it('cuts an answer that has begun, so that nobody takes it for a whole one', async () => {
    await assert.rejects(answerTo(new Error('late'), true), TypeError)
  })
})

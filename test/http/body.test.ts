import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import { DomainError } from '../../src/domain/errors.ts'
import { bodyParser } from '../../src/http/body.ts'
import { beginRequest } from '../../src/middleware/begin-request.ts'

const json = 'application/json'
const limit = 100
/** UTF-16 as its encoder writes it, with the byte order mark before it where there is one. */
const utf16 = (text: string, ...mark: number[]): Buffer => Buffer.concat([Buffer.from(mark), Buffer.from(text, 'utf16le')])

/** Bodies, their types, and what comes of each: the parsed body, or the kind of the refusal. */
const bodies: readonly (readonly [what: string, type: string | undefined, bytes: string | Buffer, outcome: object | string])[] = [
  ['an object', json, '{"a":1}', { a: 1 }],
  ['a list', json, '[1]', [1]],
  ['a type with a charset', `${json}; charset=utf-8`, '{"é":1}', { é: 1 }],
  ['the charset as some write it', `${json};charset="UTF8"`, '{}', {}],
  ['a type that ends in +json', 'application/problem+json', '{}', 'unsupported_media_type'],
  ['another type', 'text/plain', '{}', 'unsupported_media_type'],
  ['no type', undefined, '{}', 'unsupported_media_type'],
  ['another charset', `${json}; charset=latin1`, '{}', 'unsupported_media_type'],
  ['UTF-16 without a mark', json, utf16('{}'), 'unsupported_media_type'],
  ['UTF-16 with a mark', json, utf16('{}', 0xff, 0xfe), 'unsupported_media_type'],
  ['UTF-16 with the other mark', json, Buffer.from([0xfe, 0xff, 0, 0x7b, 0, 0x7d]), 'unsupported_media_type'],
  ['UTF-16 whose bytes are turned', json, utf16('{}').swap16(), 'unsupported_media_type'],
  ['UTF-8 with a mark', json, '\ufeff{"a":1}', { a: 1 }],
  ['nothing', json, '', 'invalid_params'],
  ['no JSON', json, '{', 'invalid_params'],
  ['a text', json, '"{}"', 'invalid_params'],
  ['a number', json, '1', 'invalid_params'],
  ['a whole surrogate pair', json, '{"a":"\\ud83e\\udd8a"}', { a: '🦊' }],
  ['half of a surrogate pair', json, '{"a":"\\ud83e"}', 'invalid_params'],
  ['half of a surrogate pair, in capitals', json, '{"a":"\\uD83E"}', 'invalid_params'],
  ['as much as may be', json, `"${'x'.repeat(limit - 2)}"`, 'invalid_params'],
  ['a byte more', json, `"${'x'.repeat(limit - 1)}"`, 'payload_too_large'],
]

describe('a body that comes over HTTP', () => {
  let server: Server
  before(async () => {
    const parse = bodyParser('body_bytes', limit)
    const app = express()
    app.use(beginRequest)
    app.post('/', async (req, res) => {
      await parse(req, res)
      res.json(req.body)
    })
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      res.json(error instanceof DomainError ? error.kind : String(error))
    })
    server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  for (const [what, type, bytes, outcome] of bodies)
    it(`is parsed or refused: ${what}`, async () => {
      const body = new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)])
      const headers = type === undefined ? {} : { 'Content-Type': type }
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method: 'POST', body, headers })
      assert.deepEqual(await answer.json(), outcome)
    })

  it('is refused where its encoding is none that is known', async () => {
    const headers = { 'Content-Type': json, 'Content-Encoding': 'snappy' }
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method: 'POST', body: '{}', headers })
    assert.equal(await answer.json(), 'unsupported_media_type')
  })
})

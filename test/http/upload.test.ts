import assert from 'node:assert/strict'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import express from 'express'
import type { UploadedFile } from '../../src/domain/batches/upload.ts'
import { serverOf } from '../../src/http/server.ts'
import { uploadOf } from '../../src/http/upload.ts'
import { inTime } from '../harness/wait.ts'

const head =
  'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n' +
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\nthe beginning'

describe('a form whose sender goes away in the middle', () => {
  it('is refused when whoever keeps its file has heard of it and is through', async () => {
    const begun = Promise.withResolvers<undefined>()
    const refused = Promise.withResolvers<unknown>()
    let keeping = false
    const keep = async ({ content }: UploadedFile): Promise<void> => {
      keeping = true
      try {
        for await (const chunk of content) if (chunk.length > 0) begun.resolve(undefined)
      } finally {
        keeping = false
      }
    }
    const app = express()
    app.post('/', (req) => {
      uploadOf(req, 'key', 'limits.file_bytes', 10_000)
        .receive(keep)
        .then(() => assert.fail('it was taken'))
        .catch(refused.resolve)
    })
    const server = serverOf(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const sender = connect((server.address() as AddressInfo).port, '127.0.0.1')
    sender.write(head)
    await inTime(begun.promise, 'the file to begin')
    sender.destroy()
    const error = await inTime(refused.promise, 'the form to be refused')
    assert.match(String(error), /the connection closed before the form was complete/)
    assert.equal(keeping, false)
    server.close()
  })
})

describe('a form that is refused in the middle', () => {
  it('is read to its end, so that its connection goes on', async () => {
    const app = express()
    app.post('/', (req, res) => {
      const keep = async ({ content }: UploadedFile): Promise<void> => {
        for await (const chunk of content) throw new Error(`not wanted, after ${chunk.length > 0 ? 'a piece' : 'nothing'}`)
      }
      uploadOf(req, 'ann', 'limits.file_bytes', 10_000_000)
        .receive(keep)
        .then(
          () => res.end('taken'),
          (error: unknown) => res.end(String(error)),
        )
    })
    app.get('/next', (_req, res) => void res.end('the next answer'))
    const server = serverOf(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const sender = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const rest = Buffer.alloc(8_000_000, 'x')
    const form = Buffer.concat([Buffer.from(head.slice(head.indexOf('--b'))), rest, Buffer.from('\r\n--b--\r\n')])
    sender.write(head.slice(0, head.indexOf('--b')).replace('1000', String(form.length)))
    sender.write(form)
    sender.write('GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    const answers = await inTime(text(sender), 'both answers').finally(() => {
      sender.destroy()
      server.close()
    })
    assert.match(answers, /^HTTP\/1.1 200 [^]*not wanted, after a piece[^]*HTTP\/1.1 200 [^]*the next answer$/)
  })
})

describe('a form', () => {
  interface Kept {
    readonly names: string[]
    readonly fields: Record<string, string>
  }

  /** What is kept of these parts, each as its head and its body. */
  async function received(...parts: (readonly [head: string, body: string])[]): Promise<Kept> {
    const names: string[] = []
    const keep = async ({ field, filename, content }: UploadedFile): Promise<void> => {
      let size = 0
      for await (const chunk of content) size += chunk.length
      names.push(`${field} ${filename} ${size}`)
    }
    const body = parts.map(([about, inside]) => `--b\r\nContent-Disposition: form-data; ${about}\r\n\r\n${inside}\r\n`).join('')
    const req = Object.assign(Readable.from([Buffer.from(`${body}--b--\r\n`)]), {
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      complete: true,
    })
    const fields = await uploadOf(req as never, 'ann', 'limits.file_bytes', 100).receive(keep)
    return { names, fields: Object.fromEntries(fields) }
  }
  const file = (name: string, filename = 'a.jsonl'): string => `name="${name}"; filename="${filename}"`

  it('has its fields, and one file, which has a name', async () => {
    const parts = [
      ['name="purpose"', 'batch'],
      ['name="b"', 'c'],
      ['name="d"', 'e'],
      [file('file'), 'text'],
    ] as const
    assert.deepEqual(await received(...parts), { names: ['file a.jsonl 4'], fields: { purpose: 'batch', b: 'c', d: 'e' } })
    assert.deepEqual((await received(...parts, [file('other'), 'more'])).names, ['file a.jsonl 4'])
    assert.deepEqual((await received([file('file', ''), 'text'])).names, ['file file 4'])
  })

  it('is no larger than it may be: its file, each of its fields, and how many there are', async () => {
    assert.deepEqual((await received([file('file'), 'x'.repeat(100)])).names, ['file a.jsonl 100'])
    await assert.rejects(received([file('file'), 'x'.repeat(101)]), { kind: 'payload_too_large', message: /limits\.file_bytes \(100\)/ })
    const { fields } = await received(['name="a"', 'x'.repeat(100_000)])
    assert.ok(String(fields['a']).length <= 65_536, String(fields['a']?.length))
    const many = await received(...Array.from({ length: 20 }, (_, n) => [`name="f${n}"`, 'a'] as const))
    assert.equal(Object.keys(many.fields).length, 16)
  })
})

import assert from 'node:assert/strict'
import { connect, type AddressInfo } from 'node:net'
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

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { keys, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { post } from '../harness/http.ts'
import { readStream } from '../harness/sse.ts'

describe('a stream on the wire', () => {
  let daemon: TestDaemon
  let path: string
  let body: string
  before(async () => {
    daemon = await startDaemon()
    const task = mockTask({ max_tokens: 40 })
    await post(daemon.url, keys.data, task)
    path = `/v1/tasks/${task.task_id}/stream`
    body = (await readStream(daemon.url, task.task_id, keys.data)).raw
  })
  after(() => daemon.stop())

  /** All that comes on one connection until the server closes it. */
  const exchange = (requests: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1')
      let text = ''
      socket.setEncoding('utf8')
      socket.on('data', (chunk: string) => (text += chunk))
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
      socket.write(requests)
    })

  const get = (version: string, headers = ''): string =>
    `GET ${path} HTTP/${version}\r\nHost: 127.0.0.1\r\nX-API-Key: ${keys.data}\r\n${headers}\r\n`

  /** The body and what comes after it. Lengths count bytes. */
  function unchunk(text: string): { readonly body: string; readonly rest: string } {
    const bytes = Buffer.from(text, 'utf8')
    const parts: Buffer[] = []
    for (let at = 0; ;) {
      const line = bytes.indexOf('\r\n', at)
      const size = bytes.toString('latin1', at, line)
      assert.match(size, /^[0-9a-f]+$/)
      const end = line + 2 + Number.parseInt(size, 16)
      assert.equal(bytes.toString('latin1', end, end + 2), '\r\n')
      if (size === '0') return { body: Buffer.concat(parts).toString('utf8'), rest: bytes.toString('utf8', end + 2) }
      parts.push(bytes.subarray(line + 2, end))
      at = end + 2
    }
  }

  const split = (text: string): { readonly head: string; readonly after: string } => {
    const at = text.indexOf('\r\n\r\n') + 4
    return { head: text.slice(0, at), after: text.slice(at) }
  }

  it('is chunked, and the connection serves the next request, also one that was sent ahead', async () => {
    const first = split(await exchange(get('1.1') + get('1.1', 'Connection: close\r\n')))
    assert.match(first.head, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(first.head, /\r\ntransfer-encoding: chunked\r\n/i)
    assert.match(first.head, /\r\nconnection: keep-alive\r\n/i)
    const one = unchunk(first.after)
    assert.equal(one.body, body)
    const second = split(one.rest)
    assert.match(second.head, /^HTTP\/1\.1 200 OK\r\n/)
    assert.deepEqual(unchunk(second.after), { body, rest: '' })
  })

  it('is not chunked for an HTTP/1.0 client, and ends with the connection', async () => {
    const { head, after } = split(await exchange(get('1.0')))
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
    assert.doesNotMatch(head, /transfer-encoding/i)
    assert.equal(after, body)
  })
})

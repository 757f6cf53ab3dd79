import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { notLocalBecause } from '../../src/middleware/authenticate.ts'

const from = (headers: object = {}, more: object = {}): string | undefined =>
  notLocalBecause({
    ...{ socket: { remoteAddress: '127.0.0.1' }, httpVersion: '1.1', headers: { host: 'localhost:8080', ...headers }, ...more },
  } as unknown as IncomingMessage)

describe('a request of this machine’s own user', () => {
  it('comes from it, to it, by nobody else', () => {
    assert.equal(from(), undefined)
    for (const remoteAddress of ['::1', '127.8.9.1', '::ffff:127.0.0.1']) assert.equal(from({}, { socket: { remoteAddress } }), undefined)
    for (const host of ['127.0.0.1', '[::1]:8080', 'LOCALHOST']) assert.equal(from({ host }), undefined)
    assert.equal(from({ origin: 'http://LocalHost:8080' }), undefined)
  })

  it('does not come from elsewhere, to another name, by a page or by a proxy', () => {
    for (const remoteAddress of ['10.0.0.1', '::ffff:10.0.0.1', undefined])
      assert.match(String(from({}, { socket: { remoteAddress } })), /peer/)
    for (const host of ['example.org', 'localhost.example.org', '127.0.0.1.nip.io', '', undefined])
      assert.match(String(from({ host })), /Host/)
    for (const origin of ['http://localhost', 'https://localhost:8080', 'null']) assert.match(String(from({ origin })), /Origin/)
    for (const httpVersion of ['1.0', '0.9']) assert.match(String(from({}, { httpVersion })), new RegExp(`HTTP/${httpVersion}`))
    for (const name of ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'cf-ray', 'true-client-ip', 'x-original-host', 'cdn-loop'])
      assert.match(String(from({ [name]: 'a' })), new RegExp(`proxy \\(${name}\\)`))
  })
})

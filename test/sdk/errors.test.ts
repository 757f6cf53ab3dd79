import assert from 'node:assert/strict'
import { ApiError } from '../../sdk/src/index.ts'

const refused = (status: number, headers: Readonly<Record<string, string>> = {}, body: unknown = ''): ApiError =>
  new ApiError(new Response(null, { status, headers }), body)

describe('an answer that is an error', () => {
  it('that is not ours may be tried again where a proxy or an overload says so', () => {
    const retriable = [400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504].filter((status) => refused(status).retriable)
    assert.deepEqual(retriable, [429, 502, 503, 504])
    assert.equal(refused(502).code, 'HTTP_502')
  })

  it('has its correlation id from its body, or from the header', () => {
    const envelope = { code: 'NOT_FOUND', message: 'none', retriable: false, correlation_id: 'of the body' }
    const headers = { 'X-Correlation-Id': 'of the header' }
    assert.equal(refused(404, headers, envelope).correlation_id, 'of the body')
    assert.equal(refused(404, headers).correlation_id, 'of the header')
    assert.equal(refused(404).correlation_id, undefined)
  })

  it('says when to come back: by X-Backoff-Ms, by its body, by Retry-After as seconds or as a date', () => {
    const envelope = { code: 'ADMISSION_REJECT', message: 'Full.', retriable: true, retry_after_ms: 700 }
    assert.equal(refused(429, { 'X-Backoff-Ms': '650', 'Retry-After': '9' }, envelope).retry_after_ms, 650)
    assert.equal(refused(429, { 'X-Backoff-Ms': 'soon', 'Retry-After': '9' }, envelope).retry_after_ms, 700)
    assert.equal(refused(429, { 'Retry-After': '9' }).retry_after_ms, 9000)
    const ms = refused(503, { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() }).retry_after_ms ?? 0
    assert.ok(ms > 1_800_000 && ms <= 3_600_000, String(ms))
    assert.equal(refused(503, { 'Retry-After': new Date(0).toUTCString() }).retry_after_ms, 0)
    for (const nothing of [{}, { 'Retry-After': 'soon' }]) assert.equal(refused(503, nothing).retry_after_ms, undefined)
  })

  it('tells the beginning of a text that is not ours', () => {
    assert.equal(refused(502, {}, `<html>${'x'.repeat(1000)}`).message, `The answer has status 502: <html>${'x'.repeat(194)}`)
    assert.equal(refused(502, {}, { error: 'no message' }).message, 'The answer has status 502')
  })
})

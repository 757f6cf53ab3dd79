import assert from 'node:assert/strict'
import {
  connectionFault,
  eventFault,
  nonsense,
  statusFault,
  unfinished,
  type EngineFault,
} from '../../../src/adapters/engines/http/faults.ts'

/** Whether a fault speaks against its replica. */
const blamed = ({ retriable, busy }: EngineFault): boolean => retriable && !busy
const withCode = (code: string): Error => Object.assign(new Error(code), { code })

describe('faults of an engine’s server', () => {
  it('speak against it where it is gone, broken or failed', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE', 'ETIMEDOUT'])
      assert.ok(blamed(connectionFault(withCode(code))), code)
    for (const status of [401, 500, 502, 504]) assert.ok(blamed(statusFault(status, '')), String(status))
    for (const fault of [unfinished(), nonsense(new Error('?')), eventFault({ error: { code: 500 } })])
      assert.ok(blamed(fault), fault.message)
  })

  it('say what to do where TLS does not come about', () => {
    for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
      assert.match(connectionFault(withCode(code)).message, /certificate is not trusted; NODE_EXTRA_CA_CERTS/, code)
    assert.match(connectionFault(withCode('ERR_TLS_CERT_ALTNAME_INVALID')).message, /certificate is for another name than its url/)
    assert.match(connectionFault(withCode('ERR_SSL_WRONG_VERSION_NUMBER')).message, /no TLS there; .*http:/)
    for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_SSL_WRONG_VERSION_NUMBER'])
      assert.equal(connectionFault(withCode(code)).kind, 'unreachable')
  })

  it('do not where it takes no more now, or refuses the request', () => {
    for (const status of [400, 404, 413, 422, 429, 501, 503]) assert.ok(!blamed(statusFault(status, '')), String(status))
    for (const type of ['overloaded', 'validation', 'Service Unavailable']) assert.ok(!blamed(eventFault({ error: { type } })), type)
  })
  it('do not where a stream says without a code that the prompt does not fit, as that of LM Studio does', () => {
    const message = 'The number of tokens to keep from the initial prompt is greater than the context length. Try a larger context length.'
    for (const event of [{ error: { message } }, { error: message }, { error: { message }, message }]) {
      const fault = eventFault(event)
      assert.match(fault.message, /do not fit into the context/)
      assert.ok(!blamed(fault))
    }
    assert.ok(blamed(eventFault({ error: { message, code: 500 } })))
  })

  it('say what is wrong as far as a client may know it, and keep the beginning of the rest', () => {
    const told = (status: number, text = ''): string => statusFault(status, text).message
    for (const status of [401, 403]) assert.match(told(status), /does not take the key it is given, if any: api_key_env /)
    assert.match(told(400, 'model is not loaded'), /has unloaded the model/)
    assert.ok(blamed(statusFault(400, 'model is not loaded')))
    assert.match(told(500, 'input is too large to process'), /an input is too long/)
    assert.ok(!blamed(statusFault(500, 'input is too large to process')))
    assert.match(told(400, 'maximum context length'), /do not fit into the context/)
    const named = { error: { message: 'top_p must be in (0, 1], got 0.0.', type: 'BadRequestError', param: 'top_p', code: 400 } }
    assert.equal(told(400, JSON.stringify(named)), 'the engine does not take top_p as it is given (HTTP 400)')
    assert.match(told(422, '{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs"}]}'), /does not take seed as/)
    for (const unknown of ['"param": "/srv/canary"', '"param": "canary"', '"param": null', 'top_p', '{'])
      assert.equal(told(400, unknown), 'the engine does not take the request (HTTP 400)')
    for (const status of [404, 413, 501]) assert.ok(told(status).includes(`HTTP ${status}`))
    const { cause } = statusFault(500, 'x'.repeat(5000))
    assert.equal((cause as Error).message, `HTTP 500: ${'x'.repeat(1000)}`)
  })
})

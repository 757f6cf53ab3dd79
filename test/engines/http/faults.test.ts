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

  it('do not where it takes no more now, or refuses the request', () => {
    for (const status of [400, 404, 413, 422, 429, 501, 503]) assert.ok(!blamed(statusFault(status, '')), String(status))
    for (const type of ['overloaded', 'validation', 'Service Unavailable']) assert.ok(!blamed(eventFault({ error: { type } })), type)
  })
})

import assert from 'node:assert/strict'
import { DomainError, errorCatalogue, type ErrorKind } from '../../src/domain/errors.ts'

const kinds = Object.keys(errorCatalogue) as ErrorKind[]

describe('errors', () => {
  it('carry the code and the advice of the catalogue', () => {
    for (const kind of kinds) {
      const error = new DomainError(kind, 'why')
      const { code, retriable } = errorCatalogue[kind]
      assert.deepEqual(error.taskError, { code, message: 'why', retriable })
      assert.ok(error instanceof Error)
      assert.equal(error.name, 'DomainError')
      assert.equal('cause' in error, false)
    }
  })

  it('may know better than the catalogue whether to try again', () => {
    for (const kind of kinds)
      for (const retriable of [true, false]) assert.equal(new DomainError(kind, 'why', { retriable }).taskError.retriable, retriable)
  })

  it('keep their cause for the log and out of what is recorded', () => {
    const cause = new Error('secret')
    const error = new DomainError('internal', 'Something went wrong.', { cause, engine: 'mock', pool_id: 'p', retry_after_ms: 5 })
    assert.equal(error.cause, cause)
    assert.deepEqual(error.details, { cause, engine: 'mock', pool_id: 'p', retry_after_ms: 5 })
    assert.equal(JSON.stringify(error.taskError).includes('secret'), false)
  })

  it('tell whoever can be helped by waiting to try again, and nobody else', () => {
    const retriable = kinds.filter((kind) => errorCatalogue[kind].retriable)
    assert.deepEqual(retriable, [
      'queue_full',
      'rate_limited',
      'nothing_to_drop',
      'pool_unready',
      'pool_unavailable',
      'replica_exhausted',
      'internal',
      'displaced',
      'expired',
      'decode_timeout',
      'worker_reset',
    ])
  })
})

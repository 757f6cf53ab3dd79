import assert from 'node:assert/strict'
import {
  DomainError,
  Failure,
  replyErrors,
  StreamError,
  streamErrors,
  untraced,
  type ReplyKind,
  type StreamKind,
} from '../../src/domain/errors.ts'

const replyKinds = Object.keys(replyErrors) as ReplyKind[]
const streamKinds = Object.keys(streamErrors) as StreamKind[]
const advice = { ...replyErrors, ...streamErrors }

type Make = (details?: ConstructorParameters<typeof DomainError>[2]) => Failure
const all: readonly Make[] = [
  ...replyKinds.map(
    (kind): Make =>
      (details) =>
        new DomainError(kind, 'why', details),
  ),
  ...streamKinds.map(
    (kind): Make =>
      (details) =>
        new StreamError(kind, 'why', details),
  ),
]

describe('errors', () => {
  it('carry the code and the advice of the catalogue', () => {
    for (const make of all) {
      const error = make()
      const { code, retriable } = advice[error.kind]
      assert.deepEqual(error.taskError, { code, message: 'why', retriable })
      assert.ok(error instanceof Error)
      assert.equal('cause' in error, false)
    }
  })

  it('are of two types, which have no kind in common: what may be a reply, and what only a stream carries', () => {
    assert.deepEqual(streamKinds, ['canceled', 'displaced', 'expired', 'decode_timeout', 'worker_reset'])
    assert.equal(new Set([...replyKinds, ...streamKinds]).size, replyKinds.length + streamKinds.length)
    const [reply, stream] = [new DomainError('internal', 'why'), new StreamError('canceled', 'why')]
    assert.deepEqual([reply.name, stream.name], ['DomainError', 'StreamError'])
    assert.deepEqual([reply instanceof Failure, stream instanceof Failure], [true, true])
    assert.equal(stream instanceof DomainError, false)
  })

  it('may know better than the catalogue whether to try again', () => {
    for (const make of all) for (const retriable of [true, false]) assert.equal(make({ retriable }).taskError.retriable, retriable)
  })

  it('keep their cause for the log and out of what is recorded', () => {
    const cause = new Error('secret')
    const error = new DomainError('internal', 'Something went wrong.', { cause, engine: 'mock', pool_id: 'p', retry_after_ms: 5 })
    assert.equal(error.cause, cause)
    assert.deepEqual(error.details, { cause, engine: 'mock', pool_id: 'p', retry_after_ms: 5 })
    assert.equal(JSON.stringify(error.taskError).includes('secret'), false)
  })

  it('tell whoever can be helped by waiting to try again, and nobody else', () => {
    const retriable = all.map((make) => make()).filter((error) => error.retriable)
    assert.deepEqual(
      retriable.map(({ kind }) => kind),
      [
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
      ],
    )
  })

  it('takes down no stack of an error that is made untraced, and every other one', () => {
    const made = untraced(() => new StreamError('canceled', 'Canceled by the client.'))
    assert.equal(made.stack, 'StreamError: Canceled by the client.')
    assert.throws(() => untraced(() => assert.fail('thrown on')), /thrown on/)
    assert.match(new StreamError('canceled', 'Canceled by the client.').stack ?? '', /errors\.test\.ts/)
  })
})

import assert from 'node:assert/strict'
import { Semaphore } from '../../src/services/semaphore.ts'
import { settled } from '../harness/fake-clock.ts'
import { inTime } from '../harness/wait.ts'

const never = new AbortController().signal

describe('a semaphore', () => {
  it('gives no place to one that has left, and all places to those that come later', async () => {
    const places = new Semaphore(1)
    const held = Promise.withResolvers<undefined>()
    const first = places.run(() => held.promise, never)
    const abort = new AbortController()
    const reason = new Error('enough')
    const ran: string[] = []
    const run = (name: string, signal = never): Promise<void> =>
      places.run(() => {
        ran.push(name)
        return Promise.resolve()
      }, signal)
    const left = run('left', abort.signal)
    const living = run('living')
    abort.abort(reason)
    await assert.rejects(left, (error: unknown) => error === reason)
    await settled()
    assert.deepEqual(ran, [])
    held.resolve(undefined)
    await inTime(Promise.all([first, living]), 'the one that lives', 10_000)
    await inTime(run('later'), 'a free place', 10_000)
    assert.deepEqual(ran, ['living', 'later'])
  })

  it('takes nobody else’s turn from one that leaves while it runs', async () => {
    const places = new Semaphore(1)
    const [first, second] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const abort = new AbortController()
    const ran = [
      places.run(() => first.promise, never),
      places.run(() => second.promise, abort.signal),
      places.run(() => Promise.resolve(undefined), never),
    ]
    first.resolve(undefined)
    await settled()
    abort.abort(new Error('enough'))
    second.resolve(undefined)
    await inTime(Promise.all(ran), 'the one that waits', 10_000)
  })

  it('frees the place of one that fails', async () => {
    const places = new Semaphore(1)
    await assert.rejects(
      places.run(() => Promise.reject(new Error('failed')), never),
      /failed/,
    )
    await inTime(
      places.run(() => Promise.resolve(), never),
      'the place',
      10_000,
    )
  })
})

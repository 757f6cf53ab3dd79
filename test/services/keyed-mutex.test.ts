import assert from 'node:assert/strict'
import { KeyedMutex } from '../../src/services/keyed-mutex.ts'
import { settled } from '../harness/fake-clock.ts'
import { newGate } from '../harness/gate.ts'

describe('what concerns one key', () => {
  it('waits for all that came before it, also where the first of them is over or has failed', async () => {
    const mutex = new KeyedMutex()
    const seen: string[] = []
    const run = (key: string, name: string): { readonly done: Promise<void>; readonly end: (error?: Error) => void } => {
      const gate = newGate()
      let failure: Error | undefined
      const done = mutex.run(key, async () => {
        seen.push(name)
        await gate.promise
        if (failure !== undefined) throw failure
      })
      const end = (error?: Error): void => {
        failure = error
        gate.resolve()
      }
      return { done, end }
    }
    const [first, second] = [run('a', 'first'), run('a', 'second')]
    const refused = assert.rejects(first.done, /broke/)
    first.end(new Error('broke'))
    await refused
    const [third, other] = [run('a', 'third'), run('b', 'other')]
    await settled()
    assert.deepEqual(seen, ['first', 'second', 'other'])
    second.end()
    await settled()
    assert.deepEqual(seen, ['first', 'second', 'other', 'third'])
    for (const { end } of [third, other]) end()
    await Promise.all([second.done, third.done, other.done])
  })
})

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { KeyRounds } from '../../src/http/key-rounds.ts'
import { readByRounds, waitToParse } from '../../src/http/request-rounds.ts'

const nextRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const kib = 1024

describe('rounds of keys', () => {
  it('come to each key in its order, and rounds work on no more than their share, large pieces over several rounds', async () => {
    const asked = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), bytes: fc.constantFrom(0, 1, 60, 100, 450) }), {
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(asked, async (runs) => {
        const rounds = new KeyRounds(100)
        const done: number[] = []
        let worked = 0
        for (const [id, { key, bytes }] of runs.entries())
          rounds.ask(key, () => {
            done.push(id)
            worked += bytes
            return bytes
          })
        assert.deepEqual(done, [])
        for (let count = 1; done.length < runs.length; count++) {
          await nextRound()
          // The last piece may be too large by all but one byte.
          assert.ok(worked < count * 100 + 450, `${worked} bytes in ${count} rounds`)
          const most = runs.reduce((sum, { bytes }) => sum + bytes, 0)
          assert.ok(done.length === runs.length || count <= most / 100 + 1, `${done.length} of ${runs.length} after ${count} rounds`)
        }
        const order = (key: string): number[] => done.filter((id) => runs[id]?.key === key)
        for (const key of ['a', 'b', 'c'])
          assert.deepEqual(
            order(key),
            [...runs.keys()].filter((id) => runs[id]?.key === key),
          )
      }),
    )
  })

  it('are no later for a key because another has asked for many', async () => {
    const rounds = new KeyRounds(1)
    const order: string[] = []
    const ask = (key: string): void =>
      rounds.ask(key, () => {
        order.push(key)
        return 1
      })
    for (let n = 0; n < 50; n++) ask('greedy')
    ask('modest')
    ask('modest')
    while (order.length < 52) await nextRound()
    assert.deepEqual(order.slice(0, 4), ['greedy', 'modest', 'greedy', 'modest'])
  })

  it('do not save up what was not worked on, and pay for what was too much while nobody asks', async () => {
    const rounds = new KeyRounds(100)
    let done = 0
    const ask = (bytes: number): void =>
      rounds.ask('a', () => {
        done++
        return bytes
      })
    for (let n = 0; n < 50; n++) {
      ask(1)
      await nextRound()
    }
    for (let n = 0; n < 10; n++) ask(100)
    await nextRound()
    assert.equal(done, 51, 'one round has its share and no more')
    for (let n = 0; n < 10; n++) await nextRound()
    ask(450)
    for (let n = 0; n < 8; n++) await nextRound()
    ask(1)
    await nextRound()
    assert.equal(done, 62)
  })

  it('let in at once what has room in this round, and the others key after key', async () => {
    const rounds = new KeyRounds(3)
    const order: string[] = []
    const enter = (key: string): void => void rounds.enter(key, 1).then(() => order.push(key))
    for (const key of ['greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'modest']) enter(key)
    await Promise.resolve()
    assert.deepEqual(order, ['greedy', 'greedy', 'greedy'])
    await nextRound()
    assert.deepEqual(order.slice(3), ['greedy', 'modest', 'greedy'])
    // Nobody overtakes who waits.
    enter('late')
    await nextRound()
    assert.deepEqual(order.slice(6), ['greedy', 'late'])
    enter('next')
    await Promise.resolve()
    assert.equal(order.at(-1), 'next')
  })

  it('leave a body alone that is not read any more, and take a small one at once', async () => {
    const body = Object.assign(new Readable({ read: () => undefined }), { headers: {} })
    const stop = readByRounds(body, 'a')
    body.push(Buffer.alloc(65 * kib))
    while (!body.isPaused()) await nextRound()
    stop()
    for (let n = 0; n < 4; n++) await nextRound()
    assert.deepEqual([body.isPaused(), body.listenerCount('data')], [true, 0])
    let turned = false
    setImmediate(() => (turned = true))
    await waitToParse('a', 64 * kib)
    assert.equal(turned, false)
  })

  it('have a large body read beside those of another key, and whole; a small one is read as it comes', async () => {
    const order: string[] = []
    const bodyOf = (key: string, chunks: number, headers: { 'content-length'?: string }): Promise<Buffer> => {
      const body = Object.assign(Readable.from(Array.from({ length: chunks }, (_, n) => Buffer.alloc(64 * kib, n))), { headers })
      const stop = readByRounds(body, key)
      const read: Buffer[] = []
      return new Promise((resolve) => {
        body.on('data', (chunk: Buffer) => {
          order.push(key)
          read.push(chunk)
        })
        body.on('end', () => {
          stop()
          resolve(Buffer.concat(read))
        })
      })
    }
    const greedy = [bodyOf('greedy', 40, {}), bodyOf('greedy', 40, { 'content-length': `${40 * 64 * kib}` })]
    const modest = bodyOf('modest', 10, {})
    assert.equal((await modest).length, 10 * 64 * kib)
    // A chunk of each key by turns, after the first ones that were small until then.
    assert.ok(order.filter((key) => key === 'greedy').length <= 10 + 4, order.join(' '))
    for (const body of await Promise.all(greedy)) assert.deepEqual([body.length, body[0], body.at(-1)], [40 * 64 * kib, 0, 39])
    const small = bodyOf('modest', 1, { 'content-length': `${64 * kib}` })
    await waitToParse('modest', 64 * kib)
    assert.equal((await small).length, 64 * kib)
  })

  it('have the large body of a key parsed beside one of another, and many of its own one after the other', async () => {
    const order: string[] = []
    const parse = (key: string): Promise<unknown> => waitToParse(key, 1000 * kib).then(() => order.push(key))
    await Promise.all([...Array.from({ length: 5 }, () => parse('greedy')), parse('modest')])
    assert.deepEqual(order, ['greedy', 'modest', 'greedy', 'greedy', 'greedy', 'greedy'])
  })
})

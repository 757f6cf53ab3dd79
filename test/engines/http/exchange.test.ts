import assert from 'node:assert/strict'
import { Exchange } from '../../../src/adapters/engines/http/exchange.ts'
import { FakeClock } from '../../harness/fake-clock.ts'

describe('one call of an engine', () => {
  const made = (data: (chunk: Buffer) => boolean = () => false) => {
    const clock = new FakeClock()
    const aborts: unknown[] = []
    const call = new Exchange({ data, end: () => undefined }, (text) => text, clock)
    call.done.catch(() => undefined)
    return { clock, call, aborts, controller: { abort: (reason: unknown) => aborts.push(reason) } as never }
  }
  const piece = Buffer.from('piece')

  it('that was aborted before it had a connection closes it when it has', async () => {
    const { call, aborts, controller } = made()
    const reason = new Error('enough')
    call.abort(reason)
    await assert.rejects(call.done, reason)
    assert.equal(aborts.length, 0)
    call.onRequestStart(controller)
    assert.equal(aborts.length, 1)
  })

  it('that has what it wanted takes no more, and is closed after a grace unless it ends or breaks before', async () => {
    for (const [ends, closed] of [
      [undefined, 1],
      ['ends', 0],
      ['breaks', 0],
    ] as const) {
      let pieces = 0
      const { call, clock, aborts, controller } = made(() => ++pieces === 2)
      call.onRequestStart(controller)
      call.onResponseStart(undefined, 200, {})
      for (let n = 0; n < 4; n++) call.onResponseData(undefined, piece)
      await call.done
      assert.equal(pieces, 2)
      if (ends === 'ends') call.onResponseEnd()
      if (ends === 'breaks') call.onResponseError(undefined, new Error('reset'))
      await clock.advance(999)
      assert.equal(aborts.length, 0)
      await clock.advance(1)
      assert.deepEqual([aborts.length, clock.pending], [closed, 0])
    }
  })

  it('fails by every status that is no success, with when to come back where that is told', async () => {
    for (const status of [100, 199, 300, 302, 399, 400, 599]) {
      const { call } = made(() => assert.fail('an error is no answer'))
      call.onResponseStart(undefined, status, {})
      call.onResponseData(undefined, piece)
      call.onResponseEnd()
      await assert.rejects(call.done, { name: 'EngineError', status, again_ms: undefined })
    }
    for (const [told, again_ms] of [
      ['7', 7000],
      ['0', 0],
      ['soon', undefined],
      ['-1', undefined],
    ] as const) {
      const { call } = made()
      call.onResponseStart(undefined, 503, { 'retry-after': told })
      call.onResponseEnd()
      await assert.rejects(call.done, { kind: 'busy', again_ms })
    }
  })

  it('may be tried again only where nothing came of its answer', async () => {
    for (const began of [false, true]) {
      const { call } = made()
      if (began) call.onResponseStart(undefined, 200, {})
      call.onResponseError(undefined, new Error('reset'))
      await assert.rejects(call.done, { kind: 'broken' })
      assert.equal(call.unanswered === undefined, began)
    }
  })
})

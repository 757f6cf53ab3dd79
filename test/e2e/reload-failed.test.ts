import assert from 'node:assert/strict'
import { mockPool } from '../harness/daemon.ts'
import { accepted, health, listed, modelState, proving, read, reload, startStill, type Still } from './pools.kit.ts'

const pools = [
  mockPool({ id: 'steady', model: 'mock:steady' }),
  mockPool({ id: 'slow', model: 'mock:slow-1', replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 } }),
  mockPool({
    id: 'faulty',
    model: 'mock:faulty-1',
    mock: { prefill_ms: 0, token_ms: 0, tokens: 4, fault: { kind: 'fail', after_tokens: 1, every: 1 } },
  }),
]

describe('a reload that fails', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({ pools })
  })
  after(() => daemon.stop())

  it('is refused where it cannot be, and changes nothing', async () => {
    assert.equal((await reload(daemon, 'nobody', 'mock:v1')).status, 404)
    for (const model_ref of ['file:models/tinytales.gguf', 'v1', '']) {
      const { status, json } = await reload(daemon, 'steady', model_ref)
      assert.deepEqual([status, json['code']], [400, 'INVALID_PARAMS'], model_ref)
    }
    assert.equal((await listed(daemon, 'steady'))['model_ref'], 'mock:steady')
  })

  it('because the new model does not prove itself is 409, and the old model serves on', async () => {
    const { status, json } = await reload(daemon, 'faulty', 'mock:faulty-2')
    assert.deepEqual([status, json['code'], json['pool_id']], [409, 'CONFLICT', 'faulty'])
    const { live, ready, last_error } = await health(daemon, 'faulty')
    assert.deepEqual([live, ready], [true, true])
    assert.match(String(last_error), /mock:faulty-2/)
    assert.equal((await listed(daemon, 'faulty'))['model_ref'], 'mock:faulty-1')
    const { frames } = await read(daemon, await accepted(daemon, { model_ref: 'mock:faulty-1' }))
    assert.equal(frames.filter(({ event }) => event === 'token').length, 1)
    assert.deepEqual(
      [await modelState(daemon, 'mock:faulty-1', 'loaded'), (await modelState(daemon, 'mock:faulty-2', 'loaded')) ?? 0],
      [1, 0],
    )
  })

  it('is not taken for a failure of the pool in the log', async () => {
    const before = daemon.lines.length
    assert.equal((await reload(daemon, 'faulty', 'mock:faulty-3')).status, 409)
    const sentences = daemon.lines
      .slice(before)
      .filter(({ fields }) => fields['event'] === 'replica')
      .map(({ message }) => message)
    assert.ok(sentences.length > 0)
    for (const sentence of sentences)
      assert.match(sentence, /^Replica r0 of pool faulty, not the one that serves but one with mock:faulty-3, is /)
  })

  it('is one beside another of the same pool', async () => {
    const { answer } = await proving(daemon, 'slow', 'mock:slow-2')
    const { status, json } = await reload(daemon, 'slow', 'mock:slow-3')
    assert.deepEqual([status, json['code']], [409, 'CONFLICT'])
    assert.equal((await listed(daemon, 'slow'))['model_ref'], 'mock:slow-1')
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    assert.equal((await listed(daemon, 'slow'))['model_ref'], 'mock:slow-2')
  })

  it('to be done at its deadline is 409, and the next one may come', async () => {
    const late = await proving(daemon, 'slow', 'mock:slow-4', 999)
    await daemon.clock.advance(999)
    assert.equal((await late.answer).status, 409)
    assert.equal((await listed(daemon, 'slow'))['model_ref'], 'mock:slow-2')
    const { answer } = await proving(daemon, 'slow', 'mock:slow-4', 1001)
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
  })
})

import assert from 'node:assert/strict'
import { keys } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { call } from '../harness/http.ts'
import { triton, withEngine } from '../harness/real-engines.ts'
import { untilAnswer } from '../harness/wait.ts'
import { Served } from './served.kit.ts'

withEngine('triton', 'a real Triton behind the daemon', () => {
  let served: Served

  before(async () => {
    const engine = await EngineProcess.start(triton, '/v2/health/ready')
    const pool = { engine: 'triton', model: 'triton:tales', ctx: 4096, replayable: 'probe', replicas: [{ id: 'r0', slots: 2 }] }
    served = await Served.start(engine, pool)
  })
  after(() => served.stop())

  const task = { prompt: 'go', seed: 7, max_tokens: 12 }

  it('is what it says, and replayable because it was seen to be', async () => {
    const { engine_version, ctx_max, supported_workloads, features } = await served.capabilities()
    assert.deepEqual([engine_version, ctx_max, supported_workloads, features], ['2.51.0', 4096, ['completion'], ['replayable']])
  })

  it('sends tokens over the wire, the same for the same seed', async () => {
    const [one, other, again] = await Promise.all([served.run(task), served.run({ ...task, seed: 8 }), served.run(task)])
    assert.deepEqual(
      [one.terminal?.event, one.terminal?.data?.['tokens_out'], one.terminal?.data?.['finish_reason']],
      ['end', 12, 'length'],
    )
    assert.deepEqual([one.text === again.text, one.text === other.text, one.text.split(' ').length], [true, false, 13])
  })

  for (const [prompt, code] of [
    ['fail-first', 'WORKER_RESET'],
    ['fail-middle', 'WORKER_RESET'],
  ] as const)
    it(`ends with ${code} where the model says ${prompt}, and tells nothing of what it wrote`, async () => {
      const stream = await served.run({ ...task, prompt })
      assert.deepEqual([stream.terminal?.event, stream.terminal?.data?.['code']], ['error', code])
      assert.doesNotMatch(stream.raw, /canary/)
      assert.equal(served.busy, 0)
    })

  it('is told at once of a cancel: the model does not write on', async () => {
    const stream = await served.send({ ...task, prompt: 'slow', max_tokens: 4000 })
    await stream.until(({ tokens }) => tokens.length > 2)
    await served.cancel(stream)
    await stream.closed
    assert.deepEqual([stream.terminal?.data?.['code'], served.busy], ['CANCELED', 0])
    await untilAnswer(
      () => served.run({ ...task, prompt: 'cancelled', max_tokens: 1 }),
      ({ text }) => text === ' 1',
    )
  })

  it('is down while its model is not loaded, and up again when it is', async () => {
    await served.engine.ask('/v2/repository/models/tales/unload', {})
    const down = await untilAnswer(
      () => call(served.daemon.url, '/v1/pools/box/health', { key: keys.all }),
      ({ json }) => json['ready'] === false,
    )
    assert.match(String(down.json['last_error']), /^the engine /)
    await served.engine.ask('/v2/repository/models/tales/load', {})
    await served.ready()
    assert.equal((await served.run(task)).terminal?.event, 'end')
  })
})

withEngine('triton', 'a real Triton with a model that has the inputs of vLLM, behind the daemon', () => {
  let served: Served

  before(async () => {
    const engine = await EngineProcess.start(triton, '/v2/health/ready')
    served = await Served.start(engine, { engine: 'triton', model: 'triton:like-vllm', ctx: 4096, replayable: false })
  })
  after(() => served.stop())

  const task = { prompt: 'Once upon a time', seed: 7, max_tokens: 40 }

  it('gives it what is asked for, and counts as it does', async () => {
    const { terminal, text } = await served.run({ ...task, sampling: { temperature: 0.5, stop: ['END'] } })
    assert.match(text, /^ max_tokens=40 seed=7 stop=\["END"\] temperature=0.5 and so on/)
    const { finish_reason, tokens_in, tokens_out } = terminal?.data ?? {}
    assert.deepEqual([finish_reason, tokens_in, tokens_out], ['length', 4, 40])
  })

  it('believes it where it gives an answer up', async () => {
    const { terminal } = await served.run({ ...task, prompt: 'abort' })
    assert.deepEqual([terminal?.event, terminal?.data?.['code']], ['error', 'WORKER_RESET'])
  })
})

withEngine('triton', 'a real Triton with a model that has the inputs of TensorRT-LLM, behind the daemon', () => {
  let served: Served

  before(async () => {
    const engine = await EngineProcess.start(triton, '/v2/health/ready')
    served = await Served.start(engine, { engine: 'triton', model: 'triton:like-llmapi', ctx: 4096, replayable: false })
  })
  after(() => served.stop())

  it('gives it what is asked for, and takes what is new of each answer', async () => {
    const task = { prompt: 'Once upon a time', seed: 7, max_tokens: 12, sampling: { temperature: 0.5, stop: ['END'] } }
    const { terminal, text, tokens } = await served.run(task)
    assert.equal(text, ` max_tokens=12 seed=7 stop=b'END' temperature=0.5${' and so on'.repeat(8)}`)
    assert.deepEqual([terminal?.data?.['finish_reason'], terminal?.data?.['tokens_out'], tokens.length], ['length', 12, 12])
  })
})

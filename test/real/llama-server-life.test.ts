import assert from 'node:assert/strict'
import { keys } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { call } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { llamaServer, talesFile, talesOfContext, withEngine } from '../harness/real-engines.ts'
import { untilAnswer } from '../harness/wait.ts'
import { Served } from './served.kit.ts'

interface Slot {
  readonly is_processing: boolean
  readonly next_token?: readonly { readonly n_decoded: number }[]
}

const started = (model: string, port?: number, ...options: string[]): Promise<EngineProcess> =>
  EngineProcess.start(
    (free) => llamaServer('--model', model, '--parallel', '2', '--ctx-size', '16384', ...options, '--port', String(free)),
    '/health',
    port,
  )

/** Cosine of the angle between two vectors of length 1. */
const likeness = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

withEngine('llama-server', 'a real llama-server in the middle of an answer', () => {
  let dir: ReturnType<typeof temporaryDir>
  let model = ''
  before(() => {
    dir = temporaryDir()
    model = talesOfContext(8192, dir.path)
  })
  after(() => dir.remove())
  /** An answer that takes seconds at least: nothing of it ends by itself. */
  const endless = async ({ engine }: Served): Promise<Record<string, unknown>> => {
    const { tokens } = (await engine.ask('/tokenize', { content: '</s><|end|>', parse_special: true })) as { tokens: number[] }
    const logit_bias = Object.fromEntries(tokens.map((id) => [id, -100]))
    return { prompt: 'Once upon a time', seed: 7, max_tokens: 8000, sampling: { logit_bias } }
  }

  it('is told at once of a cancel: the slot is free, and nothing more is generated', async () => {
    const served = await Served.start(await started(model), { engine: 'llamacpp', replayable: false })
    try {
      const stream = await served.send(await endless(served))
      await stream.until(({ tokens }) => tokens.length > 0)
      await served.cancel(stream)
      await stream.closed
      assert.equal(stream.terminal?.data?.['code'], 'CANCELED')
      const slots = await untilAnswer(
        async () => (await served.engine.ask('/slots')) as Slot[],
        (all) => all.every(({ is_processing }) => !is_processing),
      )
      const decoded = slots.flatMap(({ next_token }) => next_token?.[0]?.n_decoded ?? [])
      assert.ok(decoded.length > 0 && Math.max(...decoded) < 8000, String(decoded))
      assert.equal(served.busy, 0)
    } finally {
      await served.stop()
    }
  })

  it('never has more to do than it has slots', async () => {
    const pool = { engine: 'llamacpp', replayable: false, replicas: [{ id: 'r0', slots: 2 }] }
    const served = await Served.start(await started(model, undefined, '--metrics'), pool)
    try {
      const task = await endless(served)
      const streams = await Promise.all([1, 2, 3, 4, 5].map((seed) => served.send({ ...task, seed })))
      const talking = (): number => streams.filter(({ tokens }) => tokens.length > 0).length
      await untilAnswer(
        () => Promise.resolve(talking()),
        (running) => running === 2,
      )
      for (let looked = 0; looked < 20; looked++) assert.equal(await served.gauge('requests_deferred'), 0)
      assert.deepEqual([served.busy, talking()], [2, 2])
      for (const stream of streams) await served.cancel(stream)
    } finally {
      await served.stop()
    }
  })

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`ends with ${signal}, which is no end of the answer where that can neither be repeated nor gone on with`, async () => {
      const pool = { engine: 'openai', ctx: 8192, replayable: false, model: 'served:box' }
      const served = await Served.start(await started(model), pool)
      try {
        const stream = await served.send(await endless(served))
        await stream.until(({ tokens }) => tokens.length > 0)
        served.engine.kill(signal)
        await stream.closed
        assert.deepEqual([stream.terminal?.event, stream.terminal?.data?.['code']], ['error', 'WORKER_RESET'])
        assert.doesNotMatch(JSON.stringify(stream.terminal), new RegExp(`127\\.0\\.0\\.1|${served.engine.port}`))
        assert.equal(served.busy, 0)
      } finally {
        await served.stop()
      }
    })

    it(`is gone on with after ${signal} where the answer cannot be repeated: no word twice, none missing`, async () => {
      const served = await Served.start(await started(model), { engine: 'llamacpp', replayable: false })
      let again: EngineProcess | undefined
      try {
        const stream = await served.send({ ...(await endless(served)), max_tokens: 3000 })
        await stream.until(({ tokens }) => tokens.length > 3)
        served.engine.kill(signal)
        await served.engine.stop()
        const before = stream.text
        again = await started(model, served.engine.port)
        await stream.closed
        assert.equal(stream.terminal?.event, 'end')
        assert.ok(before.length > 0 && stream.text.startsWith(before) && stream.text.length > before.length)
        assert.equal(stream.terminal.data?.['tokens_out'], 3000)
        const { json } = await call(served.daemon.url, `/v1/artifacts/${String(stream.terminal.data['artifact_id'])}`, { key: keys.all })
        assert.ok(String(json['content']).includes(JSON.stringify(stream.text).slice(1, -1).slice(-200)))
      } finally {
        await served.stop()
        await again?.stop()
      }
    })
  }

  it('is waited for where the answer can be repeated, and the text is one text', async () => {
    const served = await Served.start(await started(model), { engine: 'llamacpp' })
    let again: EngineProcess | undefined
    try {
      const task = { ...(await endless(served)), max_tokens: 3000 }
      const whole = await served.run(task)
      const stream = await served.send(task)
      await stream.until(({ tokens }) => tokens.length > 3)
      await served.engine.stop()
      again = await started(model, served.engine.port)
      await stream.closed
      assert.deepEqual([stream.terminal?.event, stream.text], ['end', whole.text])
    } finally {
      await served.stop()
      await again?.stop()
    }
  })
})

withEngine('llama-server', 'a real llama-server that was started for something else', () => {
  const engineKeys = new Map([['BOX_KEY', 'canary-key']])

  it('embeds, with a key, and says what is too long for it', async () => {
    const engine = await started(talesFile, undefined, '--embeddings', '--pooling', 'mean', '--api-key', 'canary-key')
    const served = await Served.start(engine, { engine: 'llamacpp', api_key_env: 'BOX_KEY' }, { engineKeys })
    try {
      assert.ok(((await served.capabilities())['supported_workloads'] as string[]).includes('embedding'))
      const { vectors } = (await served.result({ inputs: ['a fox', 'a boat', 'a fox'] })) as { vectors: number[][] }
      const [fox = [], boat = [], again = []] = vectors
      assert.ok(fox.length > 8 && fox.length === boat.length)
      // Beside others a sum of floating-point numbers differs in its last digits.
      assert.ok(likeness(fox, again) > 0.9999 && likeness(fox, boat) < 0.99, `${likeness(fox, again)} ${likeness(fox, boat)}`)
      const byIds = (await served.result({
        inputs: [
          [1, 2, 3],
          [4, 5],
          [1, 2, 3],
        ],
      })) as { vectors: number[][] }
      const [first = [], second = [], third = []] = byIds.vectors
      assert.equal(first.length, fox.length)
      assert.ok(likeness(first, third) > 0.9999 && likeness(first, second) < 0.99, `${likeness(first, third)} ${likeness(first, second)}`)
      const door = await call(served.daemon.url, '/v1/embeddings', { method: 'POST', key: keys.all, body: { input: [1, 2, 3] } })
      assert.deepEqual([door.status, door.json['usage']], [200, { prompt_tokens: 3, total_tokens: 3 }])
      const unknown = await call(served.daemon.url, '/v1/embeddings', { method: 'POST', key: keys.all, body: { input: [2147483647] } })
      assert.equal(unknown.status, 400, JSON.stringify(unknown.json))
      const { status, json } = await call(served.daemon.url, '/v1/tasks', {
        ...{ method: 'POST', key: keys.all },
        body: { inputs: ['fox '.repeat(600)] },
      })
      assert.deepEqual([status, json['code']], [400, 'INVALID_PARAMS'])
    } finally {
      await served.stop()
    }
  })

  it('ranks', async () => {
    const served = await Served.start(await started(talesFile, undefined, '--rerank'), { engine: 'llamacpp' })
    try {
      const { scores } = (await served.result({ prompt: 'a fox', inputs: ['a boat', 'a fox', 'the sea'] })) as { scores: number[] }
      assert.ok(scores.length === 3 && scores.every(Number.isFinite), String(scores))
    } finally {
      await served.stop()
    }
  })

  it('is not up with the wrong key, and nothing tells which that was', async () => {
    const engine = await started(talesFile, undefined, '--api-key', 'another')
    const pool = { engine: 'llamacpp', api_key_env: 'BOX_KEY' }
    const served = await Served.start(engine, pool, { engineKeys }, false)
    try {
      const { json } = await call(served.daemon.url, '/v1/pools/box/health', { key: keys.all })
      assert.equal(json['ready'], false)
      assert.match(String(json['last_error']), /^the engine does not take the key it is given, if any: api_key_env names .* \(HTTP 401\)$/)
      assert.doesNotMatch(JSON.stringify([json, served.daemon.lines]), /canary/)
    } finally {
      await served.stop()
    }
  })
})

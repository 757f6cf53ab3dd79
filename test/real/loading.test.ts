import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keys } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { call, type Answer } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { llamaRouter, talesFile, triton, withEngine } from '../harness/real-engines.ts'
import { untilAnswer } from '../harness/wait.ts'
import { Served } from './served.kit.ts'

const reload = (served: Served, model_ref: string, deadline_ms = 600_000): Promise<Answer> =>
  call(served.daemon.url, '/v1/pools/box/reload', { method: 'POST', key: keys.all, body: { model_ref, deadline_ms } })

withEngine('llama-router', 'a real router of llama-servers', () => {
  const dir = temporaryDir()
  let engine: EngineProcess
  let served: Served
  before(async () => {
    for (const name of ['a', 'b']) copyFileSync(talesFile, join(dir.path, `tales-${name}.gguf`))
    writeFileSync(join(dir.path, 'broken.gguf'), readFileSync(talesFile).subarray(0, 20_000))
    const options = ['--models-max', '1', '--no-models-autoload', '--parallel', '2', '--ctx-size', '512']
    engine = await EngineProcess.start((port) => llamaRouter(dir.path, ...options, '--port', String(port)), '/health')
    served = await Served.start(engine, { engine: 'llamacpp', model: 'llamacpp:tales-a', replicas: [{ id: 'r0', slots: 2 }] })
  })
  after(async () => {
    await served.stop()
    dir.remove()
  })

  const loaded = async (): Promise<unknown[]> => {
    const { data } = (await engine.ask('/models')) as { data: { id: string; status: { value: string } }[] }
    return data.filter(({ status }) => status.value === 'loaded').map(({ id }) => id)
  }
  const text = async (model_ref: string): Promise<string> => {
    const stream = await served.run({ model_ref, prompt: 'Once upon a time', seed: 7, max_tokens: 20 })
    assert.equal(stream.terminal?.event, 'end', JSON.stringify(stream.terminal))
    return stream.text
  }

  it('loads the model of the pool, and answers by it', async () => {
    assert.deepEqual(await loaded(), ['tales-a'])
    const { ctx_max, features } = await served.capabilities()
    assert.equal(ctx_max, 256)
    assert.ok((features as string[]).includes('replayable'))
    assert.ok((await text('llamacpp:tales-a')).length > 20)
    const messages = [{ role: 'user' as const, content: 'Tell me a story about a fox.' }]
    assert.ok((await served.adapter.countTokens({ messages }, new AbortController().signal)) > 5)
  })

  it('is reloaded without cutting a stream, though it holds one model only', async () => {
    const stream = await served.send({ prompt: 'Once upon a time', seed: 7, max_tokens: 200 })
    assert.equal((await reload(served, 'llamacpp:tales-b')).status, 202)
    await stream.closed
    assert.equal(stream.terminal?.event, 'end')
    assert.deepEqual(await loaded(), ['tales-b'])
    await text('llamacpp:tales-b')
  })

  for (const [model, why] of [
    ['broken', 'the router could not load broken'],
    ['nothing', 'the router has no model nothing'],
  ] as const)
    it(`cannot load ${model}: 409, and the old one is back`, async () => {
      const { status, json } = await reload(served, `llamacpp:${model}`)
      assert.deepEqual([status, json['message']], [409, `The new model did not come up (${why}); the old one serves on.`])
      assert.deepEqual(await loaded(), ['tales-b'])
      await text('llamacpp:tales-b')
    })

  it('unloads and loads when it is told to, and rejects meanwhile', async () => {
    const { adapter } = served
    assert.equal(await adapter.unload?.(), true)
    assert.deepEqual(await loaded(), [])
    await assert.rejects(adapter.countTokens({ text: 'a' }, new AbortController().signal), { message: 'the engine has unloaded its model' })
    await adapter.load?.()
    assert.deepEqual(await loaded(), ['tales-b'])
    assert.equal(await adapter.countTokens({ text: 'Once' }, new AbortController().signal), 2)
  })

  it('whose model somebody unloads is down, and loads it again', async () => {
    await engine.ask('/models/unload', { model: 'tales-b' })
    // The router says so before the model is gone.
    const counts = (): Promise<boolean> =>
      served.adapter.countTokens({ text: 'Once' }, new AbortController().signal).then(
        () => true,
        () => false,
      )
    await untilAnswer(counts, (counted) => !counted)
    await untilAnswer(loaded, (models) => models.includes('tales-b'))
    await served.ready()
    assert.ok((await text('llamacpp:tales-b')).length > 20)
    assert.deepEqual(await loaded(), ['tales-b'])
  })
})

withEngine('llama-router', 'a real router whose models sleep', () => {
  const dir = temporaryDir()
  let engine: EngineProcess
  let served: Served | undefined
  before(async () => {
    copyFileSync(talesFile, join(dir.path, 'tales.gguf'))
    const options = ['--no-models-autoload', '--ctx-size', '256', '--sleep-idle-seconds', '1']
    engine = await EngineProcess.start((port) => llamaRouter(dir.path, ...options, '--port', String(port)), '/health')
  })
  after(async () => {
    await (served ?? engine).stop()
    dir.remove()
  })

  const untilAsleep = async (meanwhile: () => unknown): Promise<void> => {
    const status = async (): Promise<unknown> => {
      meanwhile()
      return ((await engine.ask('/models')) as { data: { status: { value: string } }[] }).data[0]?.status.value
    }
    await untilAnswer(status, (value) => value === 'sleeping')
  }

  it('is served while its model sleeps, and lets it sleep although its cache is looked at', async () => {
    await engine.ask('/models/load', { model: 'tales' })
    await untilAsleep(() => undefined)
    served = await Served.start(engine, { engine: 'llamacpp', model: 'llamacpp:tales', replicas: [{ id: 'r0', slots: 1 }] })
    const { adapter } = served
    await untilAsleep(() => adapter.kvUsage?.())
    const { terminal } = await served.run({ prompt: 'Once upon a time', seed: 7, max_tokens: 20 })
    assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
    await untilAsleep(() => adapter.kvUsage?.())
  })
})

withEngine('triton', 'a real Triton that loads', () => {
  let engine: EngineProcess
  let served: Served
  before(async () => {
    engine = await EngineProcess.start((port) => triton(port), '/v2/health/ready')
    await fetch(`${engine.url}/v2/repository/models/tales/unload`, { method: 'POST' })
    await untilAnswer(isReady, (ready) => !ready)
    served = await Served.start(engine, { engine: 'triton', model: 'triton:tales', ctx: 256, replayable: false })
  })
  after(() => served.stop())

  const isReady = async (): Promise<boolean> => (await fetch(`${engine.url}/v2/models/tales/ready`)).status === 200

  it('has loaded the model of the pool, and unloads and loads it when it is told to', async () => {
    assert.equal(await isReady(), true)
    assert.equal(await served.adapter.unload?.(), true)
    await untilAnswer(isReady, (ready) => !ready)
    await served.adapter.load?.()
    assert.equal(await isReady(), true)
  })

  it('cannot load what is not in its repository: 409, and the old one serves on', async () => {
    const { status, json } = await reload(served, 'triton:nothing')
    assert.equal(status, 409)
    assert.match(String(json['message']), /has not loaded nothing, and cannot/)
    const { terminal } = await served.run({ prompt: 'go', max_tokens: 4 })
    assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
  })
})

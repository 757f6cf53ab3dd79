import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keys, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { post } from '../harness/http.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'
import { readStream, type StreamClient } from '../harness/sse.ts'
import { untilAnswer } from '../harness/wait.ts'
import { assertWhole, childProcesses, drain, endOf, health, listed, postTask, reload, sample, stream } from './pools.kit.ts'

const tales = 'file:models/tales.gguf'
const twin = 'file:models/twin.gguf'

describe('a reload of the embedded engine', () => {
  const dir = temporaryDir()
  const models_dir = join(dir.path, 'models')
  let daemon: TestDaemon
  let others: readonly number[]
  before(async () => {
    mkdirSync(models_dir)
    const model = readFileSync(join(modelsDir, 'tinytales.gguf'))
    for (const name of ['tales.gguf', 'twin.gguf', '../outside.gguf']) writeFileSync(join(models_dir, name), model)
    writeFileSync(join(models_dir, 'cut.gguf'), model.subarray(0, model.length / 2))
    writeFileSync(join(models_dir, 'noise.gguf'), 'this is no model')
    copyFileSync(join(models_dir, 'cut.gguf'), join(models_dir, 'cut-later.gguf'))
    symlinkSync(join(dir.path, 'outside.gguf'), join(models_dir, 'link.gguf'))
    mkdirSync(join(models_dir, 'folder.gguf'))
    others = await childProcesses()
    daemon = await startDaemon({ models_dir, pools: [talesPool({ model: tales })] })
  })
  after(async () => {
    await daemon.stop()
    dir.remove()
  })

  let made = 0
  const tale = (model_ref: string, fields: Record<string, unknown> = {}): Record<string, unknown> & { task_id: string } => {
    const task_id = `tale-${++made}`
    return {
      ...{
        task_id,
        session_id: task_id,
        workload: 'completion',
        model_ref,
        engine: 'llamacpp',
        ctx: 256,
        priority: 'interactive',
        seed: 7,
      },
      ...{ messages: [{ role: 'user', content: 'Tell me a story about a fox.' }], max_tokens: 160, deadline_ms: 600_000, ...fields },
    }
  }
  const accept = async (model_ref: string, fields: Record<string, unknown> = {}): Promise<string> => {
    const task = tale(model_ref, fields)
    await post(daemon.url, keys.data, task)
    return task.task_id
  }
  const told = async (model_ref: string): Promise<StreamClient> => readStream(daemon.url, await accept(model_ref), keys.data)
  const engines = async (): Promise<number[]> => (await childProcesses('/llamacpp/child.ts')).filter((pid) => !others.includes(pid))
  const loaded = (model: string): Promise<number | undefined> => sample(daemon, `model_state{model_id="${model}",state="loaded"}`)

  it('serves the new model, while tasks of the old one finish beside it', async () => {
    const [old] = await engines()
    const running = await stream(daemon, await accept(tales, { max_tokens: 200 }))
    await running.until(({ tokens }) => tokens.length > 0)
    const queued = [await accept(tales), await accept(tales)]
    assert.equal((await reload(daemon, 'tales', twin)).status, 202)
    assert.equal((await listed(daemon, 'tales'))['model_ref'], twin)
    const fresh = await told(twin)
    for (const reader of [running, ...(await Promise.all(queued.map((task_id) => stream(daemon, task_id))))]) {
      await reader.closed
      assert.equal(reader.terminal?.event, 'end')
      assertWhole(reader)
    }
    assert.equal(fresh.terminal?.event, 'end')
    await untilAnswer(engines, (pids) => pids.length === 1 && !pids.includes(old ?? 0))
    await untilAnswer(
      () => loaded(tales),
      (is) => is === 0,
    )
    assert.equal(await loaded(twin), 1)
    assert.equal((await postTask(daemon, tale(tales, { prompt: undefined }))).status, 404)
  })

  it('gives the same bytes after it, for the model is the same', async () => {
    const before = await told(twin)
    assert.equal((await reload(daemon, 'tales', twin)).status, 202)
    assert.equal((await told(twin)).text, before.text)
    await untilAnswer(engines, (pids) => pids.length === 1)
  })

  it('keeps what waits where the model is the same', async () => {
    const tasks: string[] = []
    for (let i = 0; i < 8; i++) tasks.push(await accept(twin, { seed: i }))
    assert.equal((await reload(daemon, 'tales', twin)).status, 202)
    for (const task_id of tasks) assert.equal((await endOf(daemon, task_id)).event, 'end')
    await untilAnswer(engines, (pids) => pids.length === 1)
  })

  for (const broken of ['cut.gguf', 'noise.gguf'])
    it(`to ${broken} is 409, and the old model answers as before`, async () => {
      const before = await told(twin)
      const pids = await engines()
      const { status, json } = await reload(daemon, 'tales', `file:models/${broken}`)
      assert.deepEqual([status, json['code']], [409, 'CONFLICT'])
      assert.equal((await listed(daemon, 'tales'))['model_ref'], twin)
      const { ready, last_error } = await health(daemon, 'tales')
      assert.equal(ready, true)
      assert.match(String(last_error), new RegExp(broken))
      assert.equal(String(last_error).includes(dir.path), false)
      assert.equal((await told(twin)).text, before.text)
      assert.deepEqual(await engines(), pids)
    })

  for (const path of ['nothing.gguf', '../outside.gguf', 'link.gguf', 'folder.gguf', '/etc/passwd', '../../etc/passwd', ''])
    it(`to ${path === '' ? 'models_dir' : path} is 400`, async () => {
      for (const model_ref of [`file:${path}`, `file:models/${path}`]) {
        const { status, json, text } = await reload(daemon, 'tales', model_ref)
        assert.deepEqual([status, json['code']], [400, 'INVALID_PARAMS'], text)
        assert.equal(text.includes(dir.path), false, text)
      }
      assert.equal((await listed(daemon, 'tales'))['model_ref'], twin)
    })

  it('to a mock is 400', async () => {
    assert.equal((await reload(daemon, 'tales', 'mock:v1')).status, 400)
  })

  it('is 409 while another one runs', async () => {
    const [first, second] = await Promise.all([reload(daemon, 'tales', tales), reload(daemon, 'tales', tales)])
    assert.deepEqual([first.status, second.status].sort(), [202, 409])
    await untilAnswer(engines, (pids) => pids.length === 1)
  })

  it('of a pool that drains keeps its tasks, too', async () => {
    const running = await accept(tales, { max_tokens: 200 })
    await drain(daemon, 'tales', 600_000)
    assert.equal((await reload(daemon, 'tales', twin)).json['draining'], true)
    assert.equal((await endOf(daemon, running)).event, 'end')
  })

  it('leaves no engine behind when the daemon stops in the middle of it', async () => {
    const [own] = await untilAnswer(engines, (pids) => pids.length === 1)
    const second = await startDaemon({ models_dir, pools: [talesPool({ model: tales })] })
    const answer = reload(second, 'tales', twin)
    await untilAnswer(engines, (pids) => pids.length > 2)
    await second.quiesce()
    const { status, json } = await answer
    assert.deepEqual([status, json['code']], [503, 'POOL_UNREADY'])
    await second.stop()
    assert.deepEqual(await engines(), [own])
  })

  it('leaves none behind when the daemon stops with old engines at work', async () => {
    const [own] = await engines()
    const second = await startDaemon({ models_dir, pools: [talesPool({ model: tales })] })
    const task = tale(tales, { max_tokens: 200 })
    await post(second.url, keys.data, task)
    const running = await stream(second, task.task_id)
    await running.until(({ tokens }) => tokens.length > 0)
    assert.equal((await reload(second, 'tales', twin)).status, 202)
    await second.stop()
    assert.deepEqual(await engines(), [own])
  })
})

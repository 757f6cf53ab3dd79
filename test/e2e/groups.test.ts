import assert from 'node:assert/strict'
import { mockPool, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { call } from '../harness/http.ts'
import { untilAnswer } from '../harness/wait.ts'
import { accepted, assertWhole, endOf, getTask, health, listed, modelState, read, stream } from './pools.kit.ts'

const told = { prompt: 'Once upon a time', ctx: 256, max_tokens: 16 }
const tales = { ...told, engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf' }
const mock = { ...told, engine: 'mock', model_ref: 'mock:v1' }
const group = { id: 'box', pools: ['tales', 'mock'] }

describe('a group of the embedded engine and a mock, one loaded at a time', () => {
  let daemon: TestDaemon
  before(async () => {
    const slow = mockPool({ mock: { prefill_ms: 0, token_ms: 0, tokens: 8, load_ms: 1500 } })
    daemon = await startDaemon({ pools: [talesPool(), slow], groups: [group] })
  })
  after(() => daemon.stop())
  const loaded = async (): Promise<unknown[]> => [
    await modelState(daemon, tales.model_ref, 'loaded'),
    await modelState(daemon, 'mock:v1', 'loaded'),
  ]

  it('is ready with nothing loaded', async () => {
    assert.equal((await call(daemon.url, '/readyz')).status, 200)
    assert.deepEqual([(await listed(daemon, 'tales'))['load_state'], (await health(daemon, 'mock'))['load_state']], ['asleep', 'asleep'])
  })

  it('serves tasks of both, one model after the other', async () => {
    const both = [await accepted(daemon, tales), await accepted(daemon, mock), await accepted(daemon, tales)]
    for (const task_id of both) {
      const client = await read(daemon, task_id)
      assertWhole(client)
      assert.equal(client.terminal?.event, 'end')
    }
    assert.equal(
      (await loaded()).reduce((sum: number, one) => sum + Number(one), 0),
      1,
    )
  })

  it('says loading while the model is brought up', async () => {
    await endOf(daemon, await accepted(daemon, tales))
    const task_id = await accepted(daemon, mock)
    const client = await stream(daemon, task_id)
    await client.until(({ frames }) => frames.some(({ event, data }) => event === 'metrics' && data?.['phase'] === 'loading'))
    await client.closed
    assert.equal(client.terminal?.event, 'end')
    assert.deepEqual(await loaded(), [0, 1])
  })
})

describe('a group with a model that does not come up', () => {
  let daemon: TestDaemon
  before(async () => {
    const broken = talesPool({ id: 'broken', model: 'file:models/README.md' })
    daemon = await startDaemon({ pools: [broken, mockPool()], groups: [{ id: 'box', pools: ['broken', 'mock'] }] })
  })
  after(() => daemon.stop())

  it('serves the others, says why, and lets its tasks wait', async () => {
    const waits = await accepted(daemon, { ...tales, model_ref: 'file:models/README.md' })
    const { last_error } = await untilAnswer(
      () => health(daemon, 'broken'),
      (answer) => answer['last_error'] !== undefined,
    )
    assert.match(String(last_error), /not a GGUF file/)
    assert.equal((await endOf(daemon, await accepted(daemon, mock))).event, 'end')
    assert.equal((await getTask(daemon, waits))['state'], 'queued')
    assert.equal((await listed(daemon, 'broken'))['queue_depth'], 1)
  })
})

describe('a group whose daemon is killed in the middle of a swap', () => {
  const dir = temporaryDir()
  after(() => dir.remove())

  it('ends the tasks of both pools after the next start', async () => {
    const slow = mockPool({ mock: { prefill_ms: 0, token_ms: 0, tokens: 8, load_ms: 1000 } })
    const config = { pools: [talesPool(), slow], groups: [group] }
    const post = (url: string, task: object) => call(url, '/v1/tasks', { method: 'POST', key: 'valid', body: task })
    const first = DaemonProcess.spawn(dir.path, { config })
    await first.line(({ event }) => event === 'start')
    await post(first.url, { ...tales, task_id: 't' })
    await first.line(({ event, state, pool_id }) => event === 'group' && state === 'loaded' && pool_id === 'tales')
    await post(first.url, { ...mock, task_id: 'm' })
    await first.line(({ event, state, pool_id }) => event === 'group' && state === 'loading' && pool_id === 'mock')
    await post(first.url, { ...tales, task_id: 'u' })
    await first.stop('SIGKILL')
    const second = DaemonProcess.spawn(dir.path, { config })
    await second.line(({ event }) => event === 'start')
    for (const task_id of ['t', 'm', 'u']) {
      const ended = await untilAnswer(
        async () => (await call(second.url, `/v1/tasks/${task_id}`, { key: 'valid' })).json,
        ({ state }) => state !== 'queued' && state !== 'running',
      )
      assert.equal(ended['state'], 'completed', task_id)
    }
    assert.equal((await second.stop()).code, 0)
  })
})

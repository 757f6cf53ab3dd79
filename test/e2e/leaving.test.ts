import assert from 'node:assert/strict'
import { EngineServer, type EngineCall } from '../engines/http/engine-server.ts'
import { keys, mockTask, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'

const count = 100
const leavers = 50

/** A frame of `/v1/completions`. */
const frame = (text: string, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, text, finish_reason }] })}\n\n`

describe('fifty of a hundred clients of an engine that is a server leave at once', () => {
  let server: EngineServer
  let daemon: TestDaemon
  let readers: Map<string, StreamClient>
  let generations: Map<string, EngineCall>
  let ids: string[]

  beforeEach(async () => {
    server = await EngineServer.start()
    generations = new Map()
    server.on('GET /v1/models', (asked) => asked.json(200, { data: [{ id: 'm', max_model_len: 8192 }] }))
    server.on('POST /v1/completions', async (asked) => {
      generations.set(String(asked.body['prompt']), asked)
      await asked.stream([frame('Once')])
    })
    const pool = {
      id: 'box',
      engine: 'openai',
      url: server.url,
      replicas: [{ id: 'r0', slots: count }],
      replayable: false,
      timeouts: patient,
    }
    daemon = await startDaemon({ pools: [pool] })
    const tasks = Array.from({ length: count }, () => mockTask({ model_ref: 'served:box', engine: 'openai' }))
    ids = tasks.map(({ task_id }) => task_id)
    const opened = tasks.map(async (task) => {
      const reader = await StreamClient.post(daemon.url, keys.data, { ...task, prompt: task.task_id })
      await reader.until(({ tokens }) => tokens.length > 0)
      return [task.task_id, reader] as const
    })
    readers = new Map(await Promise.all(opened))
  })

  afterEach(async () => {
    await daemon.stop()
    await server.stop()
  })

  const busy = (): number => daemon.pools.get('box').replicas.reduce((sum, { busy }) => sum + busy, 0)

  /** Lets these go on to their end, and sees each one's whole text at its reader. */
  async function endsWell(some: readonly string[]): Promise<void> {
    for (const id of some) {
      const generation = generations.get(id)
      await generation?.chunk(`${frame(' more', 'stop')}data: [DONE]\n\n`)
      await generation?.endBody()
    }
    for (const id of some) {
      const reader = readers.get(id)
      await reader?.closed
      assert.equal(reader?.text, 'Once more')
      assert.equal(reader.frames.at(-1)?.event, 'end')
    }
  }

  it('canceled, every one of the fifty connections to the server is closed, the rest goes on, and every slot is free', async () => {
    const [left, stay] = [ids.slice(0, leavers), ids.slice(leavers)]
    const answers = await Promise.all(left.map((id) => call(daemon.url, `/v1/tasks/${id}/cancel`, { method: 'POST', key: keys.data })))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([204]))
    await Promise.all(left.map(async (id) => generations.get(id)?.closed))
    await until(() => busy() === count - leavers)
    await endsWell(stay)
    await until(() => busy() === 0)
    const [replica] = daemon.pools.get('box').replicas
    assert.deepEqual([replica?.state, replica?.restarts], ['ready', 0])
    assert.deepEqual(
      daemon.lines.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })

  it('gone without a cancel, their tasks run on to the end', async () => {
    const left = ids.slice(0, leavers)
    for (const id of left) readers.get(id)?.drop()
    await endsWell(ids.slice(leavers))
    assert.equal(busy(), leavers)
    for (const id of left) readers.set(id, await StreamClient.open(daemon.url, id, keys.data))
    await endsWell(left)
    await until(() => busy() === 0)
  })
})

import assert from 'node:assert/strict'
import { request, type ClientRequest } from 'node:http'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { settled } from '../harness/fake-clock.ts'
import { post } from '../harness/http.ts'
import { until, untilAnswer } from '../harness/wait.ts'
import { BatchClient, jsonl, lineOf } from './batches.kit.ts'

const connections = (daemon: TestDaemon): Promise<number> =>
  new Promise((resolve, reject) =>
    daemon.server.getConnections((error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    }),
  )

/** A request whose client may leave at any time. */
const get = (daemon: TestDaemon, path: string): ClientRequest => {
  const sent = request(`${daemon.url}${path}`, { headers: { 'X-API-Key': keys.data }, agent: false })
  sent.on('error', () => undefined)
  sent.end()
  return sent
}

const gone = async (daemon: TestDaemon, sent: ClientRequest): Promise<void> => {
  sent.destroy()
  await untilAnswer(
    () => connections(daemon),
    (count) => count === 0,
    'the connection to close',
  )
}

const errors = (daemon: TestDaemon): string[] => daemon.lines.flatMap(({ level, message }) => (level === 'error' ? [message] : []))

describe('a client that is gone', () => {
  let daemon: TestDaemon

  it('before its stream begins leaves no reader behind', async () => {
    const asked = Promise.withResolvers<undefined>()
    const gate = Promise.withResolvers<undefined>()
    daemon = await startDaemon(
      { pools: [mockPool({ mock: { prefill_ms: 600_000, token_ms: 0, tokens: 1 } })] },
      {
        services: (services) => {
          const streams = Object.create(services.streams) as typeof services.streams
          const open = async (...given: unknown[]): Promise<unknown> => {
            asked.resolve(undefined)
            await gate.promise
            return Reflect.apply(services.streams.open.bind(services.streams), undefined, given)
          }
          streams.open = open as typeof streams.open
          return { ...services, streams }
        },
      },
    )
    const task = mockTask()
    // Through its own keep-alive connection, which the client of the tests keeps.
    await post(daemon.url, keys.data, task)
    const { log } = [...daemon.live.all()][0] ?? assert.fail('no task')
    const sent = get(daemon, `/v1/tasks/${task.task_id}/stream`)
    const left = new Promise((resolve) => daemon.server.once('connection', (socket) => socket.once('end', resolve)))
    await asked.promise
    sent.destroy()
    await left
    gate.resolve(undefined)
    await settled()
    await until(() => !log.hasReaders, 'the reader to be closed')
    assert.deepEqual(errors(daemon), [])
    await daemon.stop()
  })

  it('in the middle of a file is no error of ours', async () => {
    daemon = await startDaemon()
    const client = new BatchClient(() => daemon.url, keys.data)
    const form = new FormData()
    form.set('purpose', 'batch')
    const text = jsonl(Array.from({ length: 200 }, (_, n) => lineOf(n, { prompt: 'x'.repeat(100_000) })))
    form.set('file', new Blob([text]), 'large.jsonl')
    const { id } = await client.json<{ id: string }>('/v1/files', 'POST', form)
    const sent = get(daemon, `/v1/files/${id}/content`)
    await new Promise((resolve) => sent.once('response', (response) => response.once('data', resolve)))
    await new Promise((resolve) => setImmediate(resolve))
    await gone(daemon, sent)
    await settled()
    assert.deepEqual(errors(daemon), [])
    await daemon.stop()
  })
})

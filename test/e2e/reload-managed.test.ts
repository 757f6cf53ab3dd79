import assert from 'node:assert/strict'
import { leasePort } from '../../src/adapters/engines/http/managed/lease-port.ts'
import { isThere, managedPool, program, type About } from '../engines/managed/managed.kit.ts'
import { keys, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { StreamClient } from '../harness/sse.ts'
import { until, untilAnswer } from '../harness/wait.ts'
import { assertWhole, health, listed, postTask, reload } from './pools.kit.ts'

const one = 'openai:one'
const two = 'openai:two'
const named = { model: one, command: program('--model', '{model}'), timeouts: patient }

describe('a reload of managed servers', () => {
  let daemon: TestDaemon
  let made = 0
  const begin = async (fields: Record<string, unknown> = {}): Promise<void> => {
    daemon = await startDaemon({ pools: [managedPool({ ...named, ...fields })] })
  }
  afterEach(async () => {
    await daemon.stop()
    assert.deepEqual(
      started().flatMap(({ pid, child }) => [pid, child].filter(isThere)),
      [],
    )
  })
  /** What each process said of itself, in the order of their starts. */
  const started = (): About[] =>
    daemon.lines
      .map(({ fields }) => String(fields['output']))
      .filter((line) => line.startsWith('{"pid"'))
      .map((line) => JSON.parse(line) as About)
  const send = (model_ref: string): Promise<StreamClient> =>
    StreamClient.post(daemon.url, keys.all, { task_id: `reloaded-${++made}`, model_ref, prompt: 'Count.', max_tokens: 20 })
  const told = async (model_ref: string): Promise<void> => {
    const stream = await send(model_ref)
    await stream.closed
    assertWhole(stream)
    assert.equal(stream.terminal?.event, 'end', JSON.stringify(stream.terminal))
  }
  const running = async (): Promise<StreamClient> => {
    const stream = await send(one)
    await stream.until(({ tokens }) => tokens.length > 0)
    return stream
  }

  it('starts the new one beside the old one, which ends when its tasks are done', async () => {
    await begin()
    const stream = await running()
    assert.equal((await reload(daemon, 'box', two)).status, 202)
    await stream.closed
    assert.equal(stream.terminal?.event, 'end')
    await told(two)
    const [old, now] = started()
    await untilAnswer(
      () => Promise.resolve(isThere(old!.pid)),
      (there) => !there,
    )
    assert.equal(isThere(now!.pid), true)
  })

  it('to one that does not come up leaves the old one as it was', async () => {
    await begin()
    const { status, json } = await reload(daemon, 'box', 'openai:broken')
    assert.deepEqual([status, json['code']], [409, 'CONFLICT'])
    assert.match(String(json['message']), /ended with code 1\); the old one serves on\.$/)
    await told(one)
    const [old, broken] = started()
    assert.deepEqual([isThere(old!.pid), isThere(broken!.child)], [true, false])
  })

  it('to a model that the command does not tell a server is refused, and starts nothing', async () => {
    await begin()
    const { status, json } = await reload(daemon, 'box', 'file:models/tinytales.gguf')
    assert.equal(status, 400)
    assert.equal(
      json['message'],
      'body.model_ref: the command of pool box has no {model_path}, so that the server would not be told of "file:models/tinytales.gguf"',
    )
    await told(one)
    assert.equal(started().length, 1)
  })

  for (const [what, replica] of [
    ['a port of its own', { port: 0 }],
    ['devices', { devices: [0] }],
  ] as const)
    it(`with ${what} lets the old one finish its work, and starts the new one only when nothing of it is left`, async () => {
      const lease = await leasePort()
      lease.release()
      await begin({ replicas: [{ id: 'r0', ...replica, ...('port' in replica ? { port: lease.port } : {}) }] })
      const stream = await running()
      const queued = await send(one)
      const answer = reload(daemon, 'box', two)
      await untilAnswer(
        () => listed(daemon, 'box'),
        ({ draining }) => draining === true,
      )
      assert.deepEqual((await postTask(daemon, { model_ref: one, engine: 'openai', ctx: 256 })).status, 503)
      const both: boolean[] = []
      void until(() => started().length > 1).then(() => both.push(isThere(started()[0]!.pid)))
      assert.equal((await answer).status, 202)
      for (const task of [stream, queued]) {
        await task.closed
        assert.equal(task.terminal?.event, 'end')
      }
      assert.deepEqual(both, [false])
      await told(two)
    })

  it('in the place of the old one brings that back where the new one does not come up', async () => {
    await begin({ reload: 'swap' })
    const { status, json } = await reload(daemon, 'box', 'openai:broken')
    assert.deepEqual([status, json['code']], [409, 'CONFLICT'])
    const { ready, last_error } = await health(daemon, 'box')
    assert.equal(ready, true)
    assert.match(String(last_error), /^reload to openai:broken failed: /)
    await told(one)
    assert.equal(started().length, 3)
  })

  it('gives up at its deadline while the old one is at work, and loses nothing', async () => {
    await begin({ reload: 'swap' })
    const stream = await running()
    const { status, json } = await reload(daemon, 'box', two, 1)
    assert.deepEqual([status, json['code']], [409, 'CONFLICT'])
    assert.match(String(json['message']), /tasks of the old model were still at work at the deadline/)
    await stream.closed
    assert.equal(stream.terminal?.event, 'end')
    await told(one)
    assert.equal(started().length, 1)
  })

  it('leaves nothing behind when the daemon stops in the middle of it', async () => {
    await begin({ reload: 'swap' })
    const answer = reload(daemon, 'box', two)
    await until(() => started().length > 1)
    await daemon.quiesce()
    assert.ok([202, 503].includes((await answer).status))
  })
})

import assert from 'node:assert/strict'
import { call } from '../harness/http.ts'
import { DaemonProcess, temporaryDir, type ProcessLine } from '../harness/process.ts'
import { readStream, StreamClient } from '../harness/sse.ts'
import { untilAnswer } from '../harness/wait.ts'
import { isThere, managedPool, program, type About } from '../engines/managed/managed.kit.ts'

const key = 'valid'
const isAbout = ({ event, output }: ProcessLine): boolean => event === 'engine' && String(output).startsWith('{"pid"')

describe('a daemon with managed servers', () => {
  const dir = temporaryDir()
  let daemon: DaemonProcess
  const started: number[] = []
  const begin = async (fields: Record<string, unknown> = {}): Promise<void> => {
    daemon = await DaemonProcess.start(dir.path, { config: { pools: [managedPool(fields)] } })
  }
  const about = async (from = 0): Promise<About> => {
    const found = JSON.parse(String((await daemon.line(isAbout, from))['output'])) as About
    started.push(found.pid, found.child)
    return found
  }
  const nothingLeft = (): Promise<unknown> =>
    untilAnswer(
      () => Promise.resolve(started.filter(isThere)),
      (left) => left.length === 0,
    )
  const post = async (task_id: string): Promise<void> => {
    const body = { task_id, prompt: 'Count.', max_tokens: 20 }
    assert.equal((await call(daemon.url, '/v1/tasks', { method: 'POST', key, body })).status, 202)
  }
  afterEach(async () => {
    await daemon.stop('SIGKILL')
    started.splice(0)
  })
  after(() => dir.remove())

  it('leaves nothing of them behind when it is killed, though they ignore SIGTERM', async () => {
    await begin({ command: program('--stubborn') })
    const { pid, child } = await about()
    await post('killed')
    const reader = await StreamClient.open(daemon.url, 'killed', key)
    await reader.until(({ tokens }) => tokens.length > 0)
    assert.deepEqual([isThere(pid), isThere(child)], [true, true])
    reader.closed.catch(() => undefined)
    await daemon.stop('SIGKILL')
    await nothingLeft()
  })

  it('has ended them when it is gone', async () => {
    await begin()
    await about()
    assert.deepEqual(await daemon.stop('SIGTERM'), { code: 0, signal: null })
    assert.deepEqual(started.filter(isThere), [])
    assert.equal(daemon.stderr, '')
  })

  it('starts one again that was killed, and says in its health and its log why', async () => {
    await begin()
    const { pid } = await about()
    const from = daemon.lines.length
    process.kill(pid, 'SIGKILL')
    await daemon.line(({ event, state }) => event === 'replica' && state === 'ready', from)
    const { json } = await call(daemon.url, '/v1/pools/box/health', { key })
    const [replica] = json['replicas'] as readonly Record<string, unknown>[]
    assert.deepEqual([replica?.['state'], replica?.['restarts']], ['ready', 1])
    assert.equal(replica?.['last_error'], 'the process of the engine ended with SIGKILL')
    assert.notEqual((await about(from)).pid, pid)
    await post('again')
    assert.equal((await readStream(daemon.url, 'again', key)).terminal?.event, 'end')
    assert.deepEqual(started.slice(0, 2).filter(isThere), [], 'what it had started has ended with it')
  })
})

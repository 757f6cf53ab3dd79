import assert from 'node:assert/strict'
import { mockPool, mockTask } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { SmallDisk } from '../harness/small-disk.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const key = 'valid'
/** Longer than any wait of the daemon for a disk. */
const tries = 400

describe('a disk that is full', () => {
  let dir: ReturnType<typeof temporaryDir>
  let disk: SmallDisk
  let daemon: DaemonProcess
  const start = async (): Promise<void> => {
    const pools = [mockPool({ replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 0, token_ms: 5, tokens: 50 } })]
    daemon = await DaemonProcess.start(dir.path, {
      prefix: disk.prefix,
      config: { data_dir: `${disk.path}/data`, limits: { free_bytes: 0 }, pools },
    })
  }
  beforeEach(async () => {
    dir = temporaryDir()
    disk = await SmallDisk.mount(6 << 20)
    await start()
  })
  afterEach(async () => {
    await daemon.stop('SIGKILL')
    await disk.unmount()
    dir.remove()
  })

  const ask = (task: Record<string, unknown>): ReturnType<typeof call> => call(daemon.url, '/v1/tasks', { method: 'POST', key, body: task })

  /** A prompt so large that the log of the database has to grow for it. */
  const large = (): Record<string, unknown> & { task_id: string } => mockTask({ prompt: 'x'.repeat(20_000) })

  it('is a 503 and a line in the log; what was accepted is not lost, and all goes on when there is room', async () => {
    const running = large()
    await post(daemon.url, key, running)
    const waiting = large()
    await post(daemon.url, key, waiting)
    const reader = await StreamClient.open(daemon.url, running.task_id, key)
    await reader.until(({ tokens }) => tokens.length > 2)

    disk.fill()
    let refused = await ask(large())
    for (let i = 0; refused.status === 202 && i < tries; i++) refused = await ask(large())
    assert.equal(refused.status, 503, refused.text)
    assert.deepEqual([refused.json['code'], refused.json['retriable']], ['POOL_UNAVAILABLE', true])
    assert.ok(Number(refused.headers['retry-after']) >= 1)
    assert.match(JSON.stringify(await daemon.line(({ level }) => Number(level) >= 50)), /disk is full/)
    assert.equal((await call(daemon.url, '/healthz')).status, 200)
    assert.equal((await call(daemon.url, `/v1/tasks/${waiting.task_id}`, { key })).status, 200, 'what is there can be read')

    disk.makeRoom()
    await reader.closed
    assert.equal(reader.terminal?.event, 'end')
    assert.equal((await readStream(daemon.url, waiting.task_id, key)).terminal?.event, 'end')
    const after = mockTask()
    await post(daemon.url, key, after)
    assert.equal((await readStream(daemon.url, after.task_id, key)).terminal?.event, 'end')
  })

  it('loses nothing either where the daemon is killed meanwhile', async () => {
    const accepted: string[] = []
    for (let i = 0; i < 5; i++) {
      const task = large()
      await post(daemon.url, key, task)
      accepted.push(task.task_id)
    }
    disk.fill()
    let answer = await ask(large())
    for (let i = 0; answer.status === 202 && i < tries; i++) {
      accepted.push(String(answer.json['task_id']))
      answer = await ask(large())
    }
    assert.equal(answer.status, 503)
    await daemon.stop('SIGKILL')
    disk.makeRoom()
    await start()
    for (const task_id of accepted) assert.equal((await readStream(daemon.url, task_id, key)).terminal?.event, 'end', task_id)
  })

  it('does not keep the daemon from starting; what has to be written waits for room', async () => {
    const accepted = Array.from({ length: 4 }, large)
    for (const task of accepted) await post(daemon.url, key, task)
    disk.fill()
    await daemon.stop('SIGKILL')
    await start()
    await daemon.line(({ level }) => Number(level) >= 50)
    disk.makeRoom()
    for (const { task_id } of accepted) assert.equal((await readStream(daemon.url, task_id, key)).terminal?.event, 'end', task_id)
  })
})

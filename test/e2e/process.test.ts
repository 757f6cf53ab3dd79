import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { talesPool, mockPool } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const key = 'valid'

const foxTask = (task_id: string, fields: Record<string, unknown> = {}): Record<string, unknown> & { task_id: string } => ({
  task_id,
  session_id: task_id,
  workload: 'completion',
  model_ref: 'file:models/tinytales.gguf',
  engine: 'llamacpp',
  ctx: 256,
  priority: 'interactive',
  seed: 7,
  messages: [{ role: 'user', content: 'Tell me a story about a fox.' }],
  max_tokens: 160,
  deadline_ms: 600_000,
  ...fields,
})

/** Processes whose parent is `parent`. */
async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number))
  return rows.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))
}

describe('the daemon as a process', () => {
  const dir = temporaryDir()
  const started: DaemonProcess[] = []
  const config = { pools: [talesPool(), mockPool()] }
  const start = async (): Promise<DaemonProcess> => {
    const daemon = await DaemonProcess.start(dir.path, { config })
    started.push(daemon)
    return daemon
  }
  let daemon: DaemonProcess
  before(async () => {
    daemon = await start()
  })
  after(async () => {
    for (const one of started) await one.stop('SIGKILL')
    dir.remove()
  })

  it('answers the public pages without a key', async () => {
    assert.equal((await call(daemon.url, '/healthz')).status, 200)
    assert.equal((await call(daemon.url, '/readyz')).status, 200)
    const metrics = await call(daemon.url, '/metrics')
    assert.equal(metrics.status, 200)
    assert.match(metrics.text, /^# TYPE tasks_enqueued_total counter$/m)
    assert.match(metrics.text, /^process_cpu_user_seconds_total /m)
  })

  it('says where it listens and that no key is configured, and nothing on standard error', async () => {
    assert.match(daemon.url, /^http:\/\/127\.0\.0\.1:[0-9]+$/)
    await daemon.line(({ event }) => event === 'auth')
    assert.equal(daemon.stderr, '')
  })

  it('streams a readable story about a fox; the same seed gives the same bytes, also after a restart', async () => {
    const stories: string[] = []
    const tell = async (task_id: string): Promise<void> => {
      await post(daemon.url, key, foxTask(task_id))
      const stream = await readStream(daemon.url, task_id, key)
      assert.equal(stream.terminal?.event, 'end')
      assert.equal(stream.terminal.data?.['finish_reason'], 'stop')
      stories.push(stream.text)
    }
    await tell('fox-1')
    await tell('fox-2')
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null })
    daemon = await start()
    await tell('fox-3')
    const [story = ''] = stories
    assert.match(story, /\bfox\b/)
    assert.match(story, /^[A-Z][\x20-\x7e\n]{100,}[.!"]\s*$/)
    assert.ok(story.split(' ').length > 40, story)
    assert.deepEqual(stories, [story, story, story])
  })

  it('replays after a restart what finished before it', async () => {
    const stream = await readStream(daemon.url, 'fox-1', key)
    assert.equal(stream.text, (await readStream(daemon.url, 'fox-3', key)).text)
    assert.equal(stream.terminal?.event, 'end')
  })

  it('answers the repetition of a task from before a restart with the same 202', async () => {
    const again = await post(daemon.url, key, foxTask('fox-1'))
    const task = await call(daemon.url, '/v1/tasks/fox-1', { key })
    assert.equal(again.json['accepted_at'], task.json['accepted_at'])
    const other = await call(daemon.url, '/v1/tasks', { method: 'POST', key, body: foxTask('fox-1', { seed: 8 }) })
    assert.equal(other.status, 409)
    assert.equal(other.json['code'], 'CONFLICT')
  })

  it('survives the death of its llama.cpp process: the story goes on where it stopped', async () => {
    const [child, tokenizer, ...others] = await childrenOf(daemon.pid)
    assert.ok(child !== undefined && tokenizer !== undefined && others.length === 0)
    let stream: StreamClient | undefined
    for (let i = 0; stream === undefined; i++) {
      assert.ok(i < 20, 'no task was ever caught in the middle')
      await post(daemon.url, key, foxTask(`reset-${i}`))
      const caught = await StreamClient.open(daemon.url, `reset-${i}`, key)
      await caught.until(({ tokens }) => tokens.length > 0)
      process.kill(child, 'SIGSTOP')
      const { json } = await call(daemon.url, `/v1/tasks/reset-${i}`, { key })
      if (json['state'] === 'running') stream = caught
      else process.kill(child, 'SIGCONT')
    }
    const from = daemon.lines.length
    process.kill(child, 'SIGKILL')
    await stream.closed
    assert.equal(stream.terminal?.event, 'end')
    assert.equal(stream.text, (await readStream(daemon.url, 'fox-1', key)).text)
    await daemon.line(({ event, state, pool_id }) => event === 'replica' && state === 'ready' && pool_id === 'tales', from)
    const health = await call(daemon.url, '/v1/pools/tales/health', { key })
    assert.equal(health.json['ready'], true)
    assert.match(String(health.json['last_error']), /SIGKILL/)
    const [replica] = health.json['replicas'] as Record<string, unknown>[]
    assert.equal(replica?.['restarts'], 1)
    assert.equal(replica['slots_busy'], 0)
    await post(daemon.url, key, foxTask('after-reset'))
    assert.equal((await readStream(daemon.url, 'after-reset', key)).text, (await readStream(daemon.url, 'fox-1', key)).text)
  })

  it('leaves no process behind when it is killed', async () => {
    const children = await childrenOf(daemon.pid)
    assert.ok(children.length > 0)
    await daemon.stop('SIGKILL')
    const alive = (child: number): boolean => {
      try {
        return process.kill(child, 0)
      } catch {
        return false
      }
    }
    while (children.some(alive)) await promisify(execFile)('ps', ['-A', '-o', 'pid='])
  })
})

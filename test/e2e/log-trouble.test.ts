import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { LogOutput, type Sink } from '../../src/adapters/system/log-output.ts'
import { mockPool, mockTask } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { untilAnswer } from '../harness/wait.ts'

/** A sink in the hands of the test. */
class Reader {
  readonly texts: string[] = []
  private readonly waiting: ((error?: Error) => void)[] = []
  readonly sink: Sink = (text, done) => {
    this.texts.push(text)
    this.waiting.push(done)
  }

  take(error?: Error): void {
    this.waiting.shift()?.(error)
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('a log that is not read', () => {
  it('costs bounded memory: lines beyond a megabyte are dropped and counted, and the count is told when it is read again', () => {
    const reader = new Reader()
    const output = new LogOutput(reader.sink)
    const line = `${'x'.repeat(999)}\n`
    for (let i = 0; i < 5000; i++) output.write(line)
    reader.take()
    const told = reader.texts.join('').split('x\n').length - 1
    assert.ok(told <= 1100, `${told} lines were held`)
    reader.take()
    output.write('again\n')
    const notes = reader.texts
      .join('')
      .split('\n')
      .filter((text) => text.startsWith('{'))
    assert.deepEqual(
      notes.map((note) => (JSON.parse(note) as { dropped: number }).dropped),
      [5000 - told],
    )
    assert.equal(reader.texts.at(-1), 'again\n')
  })

  it('has room again for as much as was taken, and counts all that was lost with a write that failed', () => {
    const reader = new Reader()
    const output = new LogOutput(reader.sink)
    for (let round = 0; round < 5; round++) {
      output.write(`${'x'.repeat(600_000)}\n`)
      reader.take()
    }
    assert.deepEqual(
      reader.texts.map(({ length }) => length),
      Array(5).fill(600_001),
    )
    const drops = (): number[] => reader.texts.flatMap((text) => /"dropped":(\d+)/.exec(text)?.[1] ?? []).map(Number)
    output.write('a\n')
    reader.take(new Error('full'))
    output.write('b\n')
    reader.take(new Error('full'))
    output.write('c\n')
    assert.deepEqual(drops(), [1, 2])
  })

  it('is waited for no longer than it is said to', async () => {
    const reader = new Reader()
    const output = new LogOutput(reader.sink)
    output.write('a\n')
    // mocha sets its own timer once the test has given its promise.
    await Promise.resolve()
    const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    const before = timers()
    const flushed = output.flush(3_600_000)
    output.write('b\n')
    reader.take()
    reader.take()
    await flushed
    assert.equal(timers(), before, 'a timer that is left keeps the process from ending')
    output.write('c\n')
    await output.flush(1)
  })

  it('freezes nothing where its disk is full: requests are answered, and it stops as asked', async () => {
    const dir = temporaryDir()
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const config = { listen: `127.0.0.1:${port}`, pools: [mockPool({})] }
    const daemon = DaemonProcess.spawn(dir.path, { config, prefix: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'] })
    try {
      await untilAnswer(
        () => call(url, '/readyz').catch(() => undefined),
        (answer) => answer?.status === 200,
      )
      const task = mockTask({ task_id: 't', session_id: 's' })
      assert.equal((await post(url, 'valid', task)).status, 202)
      await untilAnswer(
        () => call(url, '/v1/tasks/t', { key: 'valid' }),
        ({ json }) => json['state'] === 'completed',
      )
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null })
    } finally {
      await daemon.stop('SIGKILL')
      dir.remove()
    }
  })

  for (const { what, prefix } of [
    { what: 'is read', prefix: [] },
    { what: 'has a full disk', prefix: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'] },
  ])
    it(`keeps no daemon with a bug alive, where it ${what}`, async () => {
      const dir = temporaryDir()
      const port = await freePort()
      const config = { listen: `127.0.0.1:${port}`, pools: [mockPool({})] }
      const env = { NODE_OPTIONS: `--require ${fileURLToPath(new URL('../fixtures/has-a-bug.cjs', import.meta.url))}` }
      const daemon = DaemonProcess.spawn(dir.path, { config, env, prefix })
      try {
        await untilAnswer(
          () => call(`http://127.0.0.1:${port}`, '/readyz').catch(() => undefined),
          (answer) => answer?.status === 200,
        )
        process.kill(daemon.pid, 'SIGUSR2')
        assert.deepEqual(await daemon.exited, { code: 1, signal: null })
        const told = daemon.lines.filter(({ event }) => event === 'error').map(({ msg }) => msg)
        assert.deepEqual(told, prefix.length === 0 ? ['A bug: the daemon stops.'] : [])
      } finally {
        await daemon.stop('SIGKILL')
        dir.remove()
      }
    })
})

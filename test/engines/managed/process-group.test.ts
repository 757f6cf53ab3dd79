import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { ProcessGroup } from '../../../src/adapters/engines/http/managed/process-group.ts'
import { until } from '../../harness/wait.ts'

/** Says that it is up, and hears no SIGTERM. */
const stubborn = "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1_000_000); console.log('up')"

describe('a process group whose supervisor does not end it', () => {
  afterEach(() => {
    mock.timers.reset()
    mock.restoreAll()
  })

  it('has all of its grace and a little more, then it is killed', async () => {
    const lines: string[] = []
    const group = new ProcessGroup({ argv: [process.execPath, '-e', stubborn], env: {}, stop_ms: 120_000 }, (line) => lines.push(line))
    await until(() => lines.includes('up'), 'the server to be up')
    const kills = mock.method(process, 'kill').mock
    mock.timers.enable({ apis: ['setTimeout'] })
    const stopped = group.stop()
    mock.timers.tick(120_000)
    assert.equal(kills.callCount(), 0)
    mock.timers.tick(2000)
    assert.deepEqual(
      kills.calls.map(({ arguments: [, sent] }) => sent),
      ['SIGKILL'],
    )
    mock.timers.reset()
    await stopped
  })
})

describe('a process group with a process of another user, as sudo makes one', () => {
  afterEach(() => mock.restoreAll())

  it('is waited for, though nobody may signal what is left of it', async () => {
    const group = new ProcessGroup({ argv: [process.execPath, '-e', stubborn], env: {}, stop_ms: 0 }, () => undefined)
    const real = process.kill.bind(process)
    const asked: unknown[] = []
    mock.method(process, 'kill', (pid: number, sent: NodeJS.Signals | 0) => {
      if (pid >= 0) return real(pid, sent)
      asked.push(sent)
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
    })
    await group.stop()
    assert.equal(asked[0], 'SIGKILL')
    assert.ok(asked.filter((sent) => sent === 0).length > 1, 'it was there as long as it could not be told that it was not')
  })
})

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { LlamaProcess } from '../../src/adapters/engines/llamacpp/process.ts'
import type { Outcome, TokenizerReadyMessage } from '../../src/adapters/engines/llamacpp/protocol.ts'
import { EngineError } from '../../src/ports/engine.ts'
import { childrenOf } from '../harness/children.ts'
import { inTime } from '../harness/wait.ts'

const program = new URL('tokenizer-program.ts', import.meta.url)

/** A process that runs, what it has written, and how it is asked. */
class Bench {
  itself!: LlamaProcess<TokenizerReadyMessage>
  child!: ChildProcess
  readonly lines: string[] = []

  static async of(): Promise<Bench> {
    const bench = new Bench()
    const [child] = await childrenOf(() => {
      bench.itself = new LlamaProcess(program, (line) => bench.lines.push(line))
      return Promise.resolve()
    })
    bench.child = child ?? assert.fail('it is started')
    return bench
  }

  load(model_path: string): Promise<TokenizerReadyMessage> {
    return this.itself.load({ type: 'load', model_path, system_messages: 'refuse' })
  }

  /** @throws what the call fails with */
  count(text: string): Promise<Outcome> {
    return new Promise((end, fail) => {
      this.itself.begin({ text: (piece) => assert.fail(piece), end, fail }, (id) => ({
        type: 'encode',
        id,
        prompt: { text },
        given: '',
        count: true,
      }))
    })
  }

  get gone(): Promise<EngineError> {
    return inTime(this.itself.gone, 'the process to be gone', 30_000)
  }
}

describe('llama.cpp engine: one of its processes', () => {
  let bench: Bench
  beforeEach(async () => (bench = await Bench.of()))
  afterEach(() => bench.itself.kill())

  it('answers once it has loaded, and writes what it writes, to the last', async () => {
    assert.equal(bench.itself.ready, false)
    assert.deepEqual((await bench.load('m')).features, [])
    assert.equal(bench.itself.ready, true)
    const outcome = await bench.count('abc')
    assert.equal(outcome.type === 'counted' && outcome.tokens, 3)
    await bench.itself.close(new EngineError('over', { retriable: true }))
    assert.deepEqual([bench.child.exitCode, bench.itself.killed, bench.lines], [0, false, ['loads m']])
  })

  it('says why it does not load, and is there until it is ended', async () => {
    await assert.rejects(bench.load('broken'), { message: 'the model is broken', retriable: false })
    await bench.itself.close(new EngineError('over', { retriable: true }))
    assert.equal(bench.child.signalCode, 'SIGKILL')
  })

  it('is ended at once while it loads', async () => {
    const loading = assert.rejects(bench.load('endless'), /over/)
    await inTime(bench.itself.close(new EngineError('over', { retriable: true })), 'its end', 30_000)
    await loading
    assert.equal(bench.child.signalCode, 'SIGKILL')
  })

  it('that cannot serve any more ends with what it says, and so do its calls', async () => {
    await bench.load('m')
    const failed = { message: 'the model is gone', retriable: true }
    await Promise.all(['endless', 'fail'].map((text) => assert.rejects(bench.count(text), failed)))
    assert.equal((await bench.gone).message, failed.message)
    assert.equal(bench.itself.ready, false)
  })

  it('that crashes is told from one that was killed', async () => {
    await bench.load('m')
    await assert.rejects(bench.count('crash'), { message: 'the llama.cpp process ended with code 3', retriable: true })
    assert.deepEqual([(await bench.gone).message, bench.itself.killed], ['the llama.cpp process ended with code 3', false])
    const other = await Bench.of()
    await other.load('m')
    other.child.kill('SIGKILL')
    assert.deepEqual([(await other.gone).message, other.itself.killed], ['the llama.cpp process ended with SIGKILL', true])
  })

  it('lets those end whose calls were under way when it is closed', async () => {
    await bench.load('m')
    const call = assert.rejects(bench.count('endless'), /over/)
    await bench.itself.close(new EngineError('over', { retriable: true }))
    await call
    assert.equal(bench.child.exitCode, 0)
  })
})

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Tokenizer } from '../../src/adapters/engines/llamacpp/tokenizer.ts'
import { Tokenizers } from '../../src/adapters/engines/llamacpp/tokenizers.ts'
import { EngineError } from '../../src/ports/engine.ts'
import { childrenOf } from '../harness/children.ts'
import { settled } from '../harness/fake-clock.ts'
import { inTime, until, untilAnswer } from '../harness/wait.ts'

const model_path = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))
const never = new AbortController().signal
const short = { text: 'Once upon a time' }
const long = { text: 'Once upon a time. '.repeat(2000) }

/** Processes of tokenizers that this process has started, the oldest first. */
async function tokenizerPids(): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  return rows.flatMap(([pid, ppid, ...args]) =>
    Number(ppid) === process.pid && args.join(' ').includes('tokenizer-child') ? [Number(pid)] : [],
  )
}

describe('llama.cpp engine: processes of its tokenizers', () => {
  let tokenizers: Tokenizers
  beforeEach(async () => {
    tokenizers = new Tokenizers(
      () => Promise.resolve({ type: 'load', model_path, system_messages: 'refuse' }),
      () => undefined,
    )
    await tokenizers.start()
  })
  afterEach(() => tokenizers.close(new EngineError('over', { retriable: true })))

  it('one that is killed from outside costs a text nothing, and nobody is blamed', async () => {
    const tokens = await tokenizers.count(short, never)
    const [pid = 0] = await tokenizerPids()
    // It gets the text, and is killed before it can answer.
    process.kill(pid, 'SIGSTOP')
    const count = tokenizers.count(short, never)
    await new Promise((resolve) => setImmediate(resolve))
    process.kill(pid, 'SIGKILL')
    assert.equal(await inTime(count, 'the count'), tokens)
    assert.notDeepEqual(await tokenizerPids(), [pid])
  })

  it('a short text does not wait for a long one', async () => {
    await tokenizers.count(long, never)
    const [, second = 0] = await untilAnswer(tokenizerPids, ({ length }) => length === 2, 'a process for long texts')
    for (let counted = false; !counted;) {
      // While the second one is not up, the first takes long texts, too.
      process.kill(second, 'SIGSTOP')
      let over = false
      const slow = tokenizers.count(long, never).finally(() => (over = true))
      await inTime(tokenizers.count(short, never), 'the short text')
      counted = !over
      process.kill(second, 'SIGCONT')
      await inTime(slow, 'the long text')
    }
  })
})

describe('llama.cpp engine: one process of a tokenizer', () => {
  /** Takes longer to be counted than anything that is done to its process meanwhile. */
  const endless = { text: 'Once upon a time. '.repeat(200_000) }
  const command = { type: 'load', model_path, system_messages: 'refuse' } as const
  let tokenizer: Tokenizer
  beforeEach(() => {
    tokenizer = new Tokenizer(
      () => Promise.resolve(command),
      () => undefined,
    )
  })
  afterEach(() => tokenizer.close(new EngineError('over', { retriable: true })))

  it('that is killed a second time while it has the same text has the text refused', async () => {
    const [first] = await childrenOf(() => tokenizer.start())
    assert.ok(first)
    const refused = assert.rejects(tokenizer.count(endless, never), { message: /tokenizer cannot take it/, retriable: false })
    await settled()
    const [again] = await childrenOf(async () => {
      first.kill('SIGKILL')
      await once(first, 'exit')
    })
    await tokenizer.start()
    again?.kill('SIGKILL')
    await inTime(refused, 'the text to be refused')
  })

  it('ends with the text that nobody waits for any more, and the next text has a new one', async () => {
    const [first] = await childrenOf(() => tokenizer.start())
    first?.kill('SIGSTOP')
    const leave = new AbortController()
    const left = assert.rejects(tokenizer.count(short, leave.signal), /gone/)
    await settled()
    leave.abort(new Error('gone'))
    await left
    await until(() => first?.signalCode === 'SIGKILL', 'the process of the text to end')
    assert.equal(await tokenizer.count(short, never), 5)
  })
})

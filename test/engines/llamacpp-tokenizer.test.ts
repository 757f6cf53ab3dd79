import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import type { TokenizerLoadCommand } from '../../src/adapters/engines/llamacpp/protocol.ts'
import { Tokenizer } from '../../src/adapters/engines/llamacpp/tokenizer.ts'
import { Tokenizers } from '../../src/adapters/engines/llamacpp/tokenizers.ts'
import { EngineError } from '../../src/ports/engine.ts'
import { childrenOf } from '../harness/children.ts'
import { settled } from '../harness/fake-clock.ts'
import { inTime, until } from '../harness/wait.ts'

const never = new AbortController().signal
const program = new URL('tokenizer-program.ts', import.meta.url)
const over = (): EngineError => new EngineError('over', { retriable: true })
const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** Says what to load, one after the other; the last of them again and again. */
function loading(...paths: string[]) {
  const loads: string[] = []
  return {
    loads,
    load: (): Promise<TokenizerLoadCommand> => {
      const model_path = paths[Math.min(loads.length, paths.length - 1)] ?? 'm'
      loads.push(model_path)
      return Promise.resolve({ type: 'load', model_path, system_messages: 'refuse' })
    },
  }
}

describe('llama.cpp engine: a tokenizer', () => {
  let tokenizer: Tokenizer
  let loads: readonly string[]
  const use = (...paths: string[]): void => {
    const given = loading(...paths)
    loads = given.loads
    tokenizer = new Tokenizer(given.load, () => undefined, program)
  }
  beforeEach(() => use())
  afterEach(() => tokenizer.close(over()))
  const count = (text: string, signal = never): Promise<number> => inTime(tokenizer.count({ text }, signal), text, 30_000)
  const refused = { name: 'EngineError', message: /tokenizer cannot take it/, retriable: false }

  it('counts one text after the other, with what is there of the answer', async () => {
    assert.deepEqual(await Promise.all([count('ab'), count('abc'), count('')]), [2, 3, 0])
    assert.equal((await tokenizer.encode({ text: 'ab' }, 'cde', never))[1], 5)
    await assert.rejects(count('refused'), { message: 'it is refused', retriable: false })
    assert.deepEqual(loads, ['m'])
  })

  it('refuses a text that ends its process, and has another one for the next', async () => {
    const all = [count('ab'), count('crash'), count('abc')]
    await assert.rejects(all[1] ?? assert.fail(), refused)
    assert.deepEqual(await Promise.all([all[0], all[2]]), [2, 3])
    assert.equal(loads.length, 2)
  })

  it('takes a text up again once where somebody killed its process, behind the others', async () => {
    const [first] = await childrenOf(() => tokenizer.start())
    const endless = assert.rejects(tokenizer.count({ text: 'endless' }, never), refused)
    const other = count('abc')
    await settled()
    const [second] = await childrenOf(async () => {
      first?.kill('SIGKILL')
      assert.equal(await other, 3)
    })
    await settled()
    second?.kill('SIGKILL')
    await inTime(endless, 'the second time', 30_000)
    assert.equal(await count('ab'), 2)
    assert.equal(loads.length, 3)
  })

  it('ends its process with a text that nobody waits for any more, and only where it has that text', async () => {
    const gone = new Error('gone')
    const [first] = await childrenOf(async () => {
      const early = new AbortController()
      const left = assert.rejects(tokenizer.count({ text: 'crash' }, early.signal), gone)
      early.abort(gone)
      await left
      assert.equal(await count('ab'), 2)
    })
    assert.ok(first && !isOver(first), 'it did not have the text yet')
    const [running, waiting] = [new AbortController(), new AbortController()]
    const both = [running, waiting].map(({ signal }) => assert.rejects(tokenizer.count({ text: 'endless' }, signal), gone))
    await settled()
    waiting.abort(gone)
    await settled()
    assert.ok(!isOver(first), 'it waits for its turn')
    const next = count('abc')
    running.abort(gone)
    await Promise.all(both)
    assert.equal(await next, 3)
    await until(() => isOver(first), 'the process of the text to end')
    assert.equal(loads.length, 2)
  })

  it('says why nothing could be loaded, and tries it anew for the next text', async () => {
    use('broken', 'm')
    const children = await childrenOf(async () => {
      await assert.rejects(count('ab'), { message: 'the model is broken', retriable: false })
      assert.equal(await count('ab'), 2)
    })
    await until(() => children[0] !== undefined && isOver(children[0]), 'the process to end that has nothing to do')
  })

  it('ends with all its processes when it is closed, and takes nothing more', async () => {
    const children = await childrenOf(async () => {
      await tokenizer.start()
      const all = ['endless', 'ab', 'abc'].map((text) => assert.rejects(tokenizer.count({ text }, never), /over/))
      await settled()
      await tokenizer.close(over())
      await Promise.all(all)
    })
    assert.ok(children.every(isOver))
    await assert.rejects(count('ab'), /over/)
    assert.equal(loads.length, 1)
  })
})

describe('llama.cpp engine: both tokenizers', () => {
  const long = 'x'.repeat(16_384)

  it('keep short texts in one process, and long ones in another as soon as that is up', async () => {
    const { load, loads } = loading('m', 'broken', 'm')
    const tokenizers = new Tokenizers(load, () => undefined, program)
    const pidOf = async (text: string, given = ''): Promise<number> => (await tokenizers.encode({ text }, given, never))[0] ?? 0
    const children = await childrenOf(async () => {
      await tokenizers.start()
      const short = await pidOf('a')
      assert.equal(await pidOf(long), short)
      assert.equal(loads.length, 1, 'it is short enough')
      assert.equal(await pidOf(long, 'x'), short, 'it does not wait for the other')
      // The first start of the other fails: the next long text has it tried again.
      for (let other = short; other === short;) other = await pidOf(`${long}x`)
      assert.deepEqual([loads.length, await pidOf('a')], [3, short])
      assert.notEqual(await pidOf(long, 'x'), short, 'what is there of the answer counts')
    })
    await tokenizers.close(over())
    assert.ok(children.length === 3 && children.every(isOver))
  })
})

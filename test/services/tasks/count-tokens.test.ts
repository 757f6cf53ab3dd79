import assert from 'node:assert/strict'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { countsOfKey } from '../../../src/services/tasks/count-tokens.ts'
import { bob, poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'

/** An engine that never counts, but confirms that it was told to stop. */
async function slowRig(): Promise<Rig> {
  const rig = await startRig({ pools: [poolConfig({ timeouts: { tokenize_ms: 300 } })] })
  rig.engine().onCount = (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
  return rig
}

const conversation = { prompt: undefined, messages: [{ role: 'user' as const, content: 'hello' }] }

const countOf = (rig: Rig, task_id: string): number => rig.task(task_id).accepted.prompt_tokens

describe('counting a prompt', () => {
  it('asks the engine, in the form in which it will get the prompt', async () => {
    const rig = await startRig()
    const asked: unknown[] = []
    rig.engine().onCount = (prompt) => {
      asked.push(prompt)
      return Promise.resolve(17)
    }
    await rig.run({ task_id: 't1', prompt: 'text' })
    const timers = rig.clock.pending
    await rig.run({ task_id: 't2', ...conversation })
    assert.deepEqual(asked, [{ text: 'text' }, { messages: conversation.messages }])
    assert.deepEqual([countOf(rig, 't1'), countOf(rig, 't2')], [17, 17])
    assert.equal(rig.clock.pending, timers, 'a time limit was left behind')
  })

  it('estimates where the engine is too slow, and says so in the log', async () => {
    const rig = await slowRig()
    const admitted = rig.admit({ task_id: 't', prompt: 'x'.repeat(400) })
    await rig.clock.advance(299)
    assert.equal(rig.live.size, 0)
    await rig.clock.advance(1)
    await admitted
    assert.equal(countOf(rig, 't'), 100)
    assert.equal(
      rig.lines.some(({ level, message }) => level === 'warn' && message.includes('estimate')),
      true,
    )
  })

  it('estimates where the engine fails', async () => {
    const rig = await startRig()
    rig.engine().onCount = () => Promise.reject(new EngineError('gone', { retriable: true }))
    await rig.run({ task_id: 't', prompt: 'x'.repeat(40) })
    assert.equal(countOf(rig, 't'), 10)
  })

  it('refuses what the engine cannot take, in the engine’s words and with the field', async () => {
    const rig = await startRig()
    rig.engine().onCount = () => Promise.reject(new EngineError('no such role', { retriable: false }))
    const error = await refusalOf(rig.admit())
    assert.deepEqual([error.kind, error.message], ['invalid_params', 'body.prompt: no such role'])
    const other = await refusalOf(rig.admit(conversation))
    assert.equal(other.message, 'body.messages: no such role')
  })

  it('estimates the inputs of an embedding or rerank without asking', async () => {
    const rig = await startRig({ props: { workloads: ['completion', 'embedding', 'rerank'] } })
    rig.engine().onCount = () => assert.fail('asked')
    await rig.run({ task_id: 't', workload: 'rerank', prompt: 'abcd', inputs: ['abcd', 'abcde'] })
    assert.deepEqual(
      rig.storage.facts('accepted').map(({ task }) => task.prompt_tokens),
      [4],
    )
  })

  it('a prompt that cannot fit is refused by its bytes, before any engine counts it', async () => {
    const rig = await startRig({ props: { ctx_max: 8192, longest_token: 4 } })
    rig.engine().onCount = () => assert.fail('counted')
    const long = 'x'.repeat(4 * 8192 + 1)
    const messages = [{ role: 'user' as const, content: long }]
    for (const [field, prompt] of [
      ['prompt', { prompt: long }],
      ['messages', { prompt: undefined, messages }],
    ] as const) {
      const error = await refusalOf(rig.admit(prompt))
      assert.equal(error.kind, 'prompt_too_long')
      assert.match(error.message, new RegExp(`^body\\.${field}: the prompt has 32769 bytes, which are 8193 tokens at least`))
    }
    rig.engine().onCount = () => Promise.resolve(8000)
    await rig.run({ task_id: 't', ctx: 8192, prompt: long.slice(1) })
    assert.equal(countOf(rig, 't'), 8000)
  })

  it('counts few prompts of one key at once, and those of another key beside them', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 64 } })] })
    const counts: ((tokens: number) => void)[] = []
    rig.engine().onCount = () => new Promise((resolve) => counts.push(resolve))
    const admitted = Array.from({ length: 20 }, () => rig.admit())
    await settled()
    assert.equal(counts.length, countsOfKey)
    await rig.clock.advance(400)
    const other = rig.admit({}, bob)
    await settled()
    assert.equal(counts.length, countsOfKey + 1, 'another key had to wait')
    counts.pop()?.(3)
    await other
    // A time limit begins with the count and not with the wait for it: all of them are counted.
    for (let next = counts.shift(); next !== undefined; next = counts.shift()) {
      next(5)
      await settled()
    }
    for (const { task_id } of await Promise.all(admitted)) assert.equal(countOf(rig, task_id), 5)
  })

  it('decides on what is true when the count has come, not on what was when it was asked', async () => {
    const rig = await slowRig()
    const admitted = refusalOf(rig.admit())
    await settled()
    rig.engine().onStart = () => Promise.reject(new Error('cannot'))
    rig.engine().die()
    await rig.clock.advance(300)
    assert.equal((await admitted).kind, 'replica_exhausted')
    rig.engine().onStart = () => Promise.resolve()
    await rig.clock.advance(1000)
    const closed = refusalOf(rig.admit())
    rig.admission.close()
    await rig.clock.advance(1000)
    assert.equal((await closed).kind, 'pool_unready')
  })
})

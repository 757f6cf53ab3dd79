import assert from 'node:assert/strict'
import { keys } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { call } from '../harness/http.ts'
import { llamaServer, talesFile, withEngine } from '../harness/real-engines.ts'
import type { StreamClient } from '../harness/sse.ts'
import { Served } from './served.kit.ts'

const story = { prompt: 'Once upon a time', seed: 7, max_tokens: 40 }
const chat = { messages: [{ role: 'user', content: 'Tell me a story about a fox.' }], seed: 7 }
const slots = 2

withEngine('llama-server', 'a real llama-server behind the daemon', () => {
  let served: Served

  before(async () => {
    const options = ['--model', talesFile, '--alias', 'tales', '--parallel', String(slots), '--ctx-size', '512', '--metrics']
    const engine = await EngineProcess.start((port) => llamaServer(...options, '--port', String(port)), '/health')
    served = await Served.start(engine, { engine: 'llamacpp', replicas: [{ id: 'r0', slots }], model: 'llamacpp:tales' })
  })
  after(() => served.stop())

  const end = ({ terminal }: StreamClient): Readonly<Record<string, unknown>> => {
    assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
    return terminal.data ?? {}
  }

  it('is what it says, and replayable because it was seen to be', async () => {
    const { engine_version, ctx_max, slots: told, supported_workloads, features } = await served.capabilities()
    assert.match(String(engine_version), /^b\d+/)
    assert.deepEqual([ctx_max, told, supported_workloads], [256, slots, ['completion']])
    for (const feature of ['replayable', 'chat_template', 'stop_sequences', 'logprobs', 'json_schema', 'kv_reuse'])
      assert.ok((features as string[]).includes(feature), feature)
  })

  it('sends tokens over the wire, the same for the same seed, alone and beside others', async () => {
    const alone = await served.run(story)
    assert.equal(end(alone)['tokens_out'], 40)
    assert.equal(end(alone)['finish_reason'], 'length')
    const together = await Promise.all([served.run(story), served.run({ ...story, seed: 8 }), served.run(story)])
    assert.deepEqual(
      together.map(({ text }) => text === alone.text),
      [true, false, true],
    )
    assert.ok(alone.tokens.length > 30 && alone.text.length > 80, alone.text)
  })

  for (const [what, task] of [
    ['prompt', story],
    ['chat', chat],
  ] as const)
    it(`counts a ${what} as it is charged for`, async () => {
      const prompt =
        'prompt' in task ? { text: task.prompt } : { messages: [{ role: 'user' as const, content: chat.messages[0]!.content }] }
      const counted = await served.adapter.countTokens(prompt, new AbortController().signal)
      assert.equal(end(await served.run(task))['tokens_in'], counted)
    })

  it('answers a chat by its own template, to the end of the story', async () => {
    const told = await served.run(chat)
    assert.equal(end(told)['finish_reason'], 'stop')
    assert.match(told.text, /^\s*\w.*[.!"]\s*$/s)
    assert.doesNotMatch(told.text, /<\|/)
  })

  it('does what the sampling asks for: stop sequences, probabilities, JSON by a schema', async () => {
    const { text } = await served.run(story)
    const word = text.split(' ')[4] ?? ''
    const stopped = await served.run({ ...story, sampling: { stop: [word] } })
    assert.deepEqual([stopped.text, end(stopped)['finish_reason']], [text.slice(0, text.indexOf(word)), 'stop'])
    assert.equal(end(stopped)['stop_sequence'], word)
    for (const task of [story, chat])
      for (const likely of [{}, { top_logprobs: 0 }, { top_logprobs: 2 }]) {
        const [first] = (await served.run({ ...task, logprobs: true, ...likely })).tokens
        const [logprob] = first?.data?.['logprobs'] as { token: string; logprob: number; top_logprobs: unknown[] }[]
        assert.ok(logprob !== undefined && logprob.logprob <= 0)
        assert.equal(logprob.top_logprobs.length, likely.top_logprobs ?? 0)
      }
    const schema = { type: 'object', properties: { fox: { type: 'boolean' } }, required: ['fox'], additionalProperties: false }
    const asked = { ...chat, response_format: { type: 'json_schema', json_schema: { name: 'fox', schema } } }
    assert.equal(typeof (JSON.parse((await served.run(asked)).text) as { fox: unknown }).fox, 'boolean')
  })

  it('is not asked for what does not fit into its context', async () => {
    const before = await served.gauge('n_decode_total')
    for (const long of [{ prompt: 'fox '.repeat(400) }, { ...story, max_tokens: 256 }]) {
      const { status, json } = await call(served.daemon.url, '/v1/tasks', {
        method: 'POST',
        key: keys.all,
        body: { task_id: 'long', ...long },
      })
      assert.deepEqual([status, json['code']], [400, 'INVALID_PARAMS'])
    }
    assert.equal(await served.gauge('n_decode_total'), before)
  })
})

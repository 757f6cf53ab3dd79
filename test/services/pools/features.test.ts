import assert from 'node:assert/strict'
import type { ChatMessage, Feature, TaskRequest } from '../../../src/domain/task.ts'
import { poolConfig, refusalOf, startRig, type Rig, type TaskFields } from '../../harness/rig.ts'

const hello: ChatMessage = { role: 'user', content: 'hello' }
const chat = (...messages: readonly ChatMessage[]): TaskFields => ({ prompt: undefined, messages: [hello, ...messages] })
const tools: TaskRequest['tools'] = [{ type: 'function', function: { name: 'read' } }]
const call = { id: 'c1', type: 'function' as const, function: { name: 'read', arguments: '{}' } }
const json_schema = { name: 'any', schema: {} }

/** What a task asks for, the feature that it takes, and the field that the refusal names. */
const asking: readonly (readonly [fields: TaskFields, feature: Feature, field: string])[] = [
  [chat(), 'chat_template', 'messages'],
  [{ ...chat(), tools }, 'tools', 'tools'],
  [chat({ role: 'assistant', content: null, tool_calls: [call] }, hello), 'tools', 'messages[1]'],
  [chat({ role: 'tool', content: 'text', tool_call_id: 'c1' }), 'tools', 'messages[1]'],
  [{ ...chat(), response_format: { type: 'json_object' } }, 'json_object', 'response_format'],
  [{ ...chat(), response_format: { type: 'json_schema', json_schema } }, 'json_schema', 'response_format'],
  [{ ...chat(), reasoning_effort: 'none' }, 'reasoning', 'reasoning_effort'],
  [chat({ role: 'assistant', content: 'a', reasoning_content: 'b' }, hello), 'reasoning', 'messages[1].reasoning_content'],
  [{ logprobs: true }, 'logprobs', 'logprobs'],
  [{ sampling: { logit_bias: { 1: 1 } } }, 'logit_bias', 'sampling.logit_bias'],
  [{ sampling: { frequency_penalty: 0 } }, 'penalties', 'sampling.frequency_penalty'],
  [{ sampling: { presence_penalty: 1 } }, 'penalties', 'sampling.presence_penalty'],
  [
    chat({ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] }),
    'images',
    'messages[1].content',
  ],
  [chat({ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }] }), 'audio', 'messages[1].content'],
  [chat({ role: 'assistant', content: 'Well' }), 'prefill', 'messages[1].role'],
  [chat({ role: 'system', content: 'Be brief.' }, hello), 'system_messages', 'messages[1]'],
  [chat(hello, { role: 'developer', content: 'Be brief.' }, hello), 'system_messages', 'messages[2]'],
  [{ workload: 'embedding', prompt: undefined, inputs: [[1, 2]] }, 'token_inputs', 'inputs'],
]

const all: readonly Feature[] = [...new Set(asking.map(([, feature]) => feature)), 'stop_sequences']
const without = (feature: Feature): Feature[] => all.filter((one) => one !== feature)

const pools = [poolConfig({ id: 'a' }), poolConfig({ id: 'b' }), poolConfig({ id: 'c' })]
/** Three pools of one model, of which only c can everything. */
const start = (feature: Feature): Promise<Rig> =>
  startRig({
    pools,
    prepare: (engine, pool_id) => {
      engine.props = { ...engine.props, workloads: ['completion', 'embedding'], features: pool_id === 'c' ? all : without(feature) }
    },
  })

const pin = (pin_pool_id: string): TaskFields => ({ placement: { mode: 'pin', pin_pool_id } })

describe('features', () => {
  for (const [fields, feature, field] of asking)
    it(`send what asks for ${feature} with ${field} where it can be done, or name both`, async () => {
      const rig = await start(feature)
      assert.equal((await rig.run(fields)).pool_id, 'c')
      const { kind, message } = await refusalOf(rig.admit({ ...fields, ...pin('a') }))
      const who = 'pool a does not have the feature'
      assert.deepEqual([kind, message], ['invalid_params', `body.${field}: ${who} ${feature}; GET /v1/capabilities lists features`])
      const none = await refusalOf(rig.admit({ ...fields, placement: { mode: 'auto', avoid_pools: ['c'] } }))
      assert.equal(none.message, `body.${field}: no pool for this task has the feature ${feature}; GET /v1/capabilities lists features`)
      assert.equal((await rig.run({ ...fields, ...pin('c') })).pool_id, 'c')
      assert.equal((await rig.run({ ...fields, placement: { mode: 'prefer', prefer_pools: ['a'] } })).pool_id, 'c')
    })

  it('take a pool that can all at once, not one for each', async () => {
    const rig = await startRig({
      pools: [pools[0] ?? {}, pools[1] ?? {}],
      prepare: (engine, pool_id) => {
        engine.props = { ...engine.props, features: pool_id === 'a' ? ['chat_template', 'tools'] : ['chat_template', 'reasoning'] }
      },
    })
    assert.equal((await rig.run({ ...chat(), tools })).pool_id, 'a')
    assert.equal((await rig.run({ ...chat(), reasoning_effort: 'low' })).pool_id, 'b')
    const { message } = await refusalOf(rig.admit({ ...chat(), tools, reasoning_effort: 'low' }))
    assert.match(message, /^body\.reasoning_effort: no pool for this task has the feature reasoning;/)
  })

  it('are not known of a pool that was never up: its task is told to wait, not refused', async () => {
    const rig = await startRig({ prepare: (engine) => (engine.onStart = () => new Promise(() => undefined)) })
    const { kind } = await refusalOf(rig.admit({ ...chat(), tools }))
    assert.equal(kind, 'pool_unready')
  })

  it('ask for nothing in a plain task, whatever its format and its sampling', async () => {
    const rig = await startRig({ props: { features: [] } })
    await rig.run({ sampling: { temperature: 1, top_k: 5, repeat_penalty: 1.1, stop: ['x'] }, logprobs: false })
    const capable = await startRig({ props: { features: ['chat_template'] } })
    await capable.run({ ...chat({ role: 'assistant', content: 'a' }, hello), response_format: { type: 'text' } })
    assert.deepEqual([rig.engine().calls.length, capable.engine().calls.length], [1, 1])
  })
})

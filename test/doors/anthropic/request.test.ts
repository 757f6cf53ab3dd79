import assert from 'node:assert/strict'
import { messagesTask, userSession, type MessagesBody } from '../../../src/doors/anthropic/messages-request.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]
const tool = { name: 'look', description: 'Looks.', input_schema: { type: 'object' } }
const called = { type: 'function' as const, function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } }
const translated = (more: Partial<MessagesBody>) => messagesTask({ max_tokens: 9, messages, ...more })
const task = (more: Partial<MessagesBody>) => translated(more).request
const refusal = { kind: 'invalid_params' }

describe('a request at the door of Anthropic', () => {
  it('has what every task of a chat has, and its limit as the most that it may take', () => {
    const { request, most_tokens } = translated({ model: 'm' })
    const common = { workload: 'completion', determinism: 'best_effort', kv_hint: 'reuse', output_mode: 'text' }
    assert.deepEqual(request, { ...common, messages: [{ role: 'user', content: 'Hi' }], model_ref: 'm' })
    assert.equal(most_tokens, 9)
  })

  it('samples as it says, and ends at stop sequences that are some', () => {
    assert.deepEqual(task({ temperature: 0, top_p: 0.5, top_k: 3 }).sampling, { temperature: 0, top_p: 0.5, top_k: 3 })
    assert.deepEqual(task({ stop_sequences: ['', 'END'] }).sampling, { stop: ['END'] })
    for (const nothing of [[], [''], null]) assert.equal(task({ stop_sequences: nothing }).sampling, undefined)
  })

  it('offers tools that have a schema, and has one, any or none of them called, one at a time where it says so', () => {
    assert.deepEqual(task({ tools: [tool, { name: 'web_search', type: 'web_search_20250305' }] }).tools, [called])
    const choice = (tool_choice: object) => {
      const { tool_choice: choice, parallel_tool_calls } = task({ tools: [tool], tool_choice: tool_choice as never })
      return [choice, parallel_tool_calls]
    }
    const one = { type: 'function', function: { name: 'look' } }
    for (const [type, made] of [
      ['auto', 'auto'],
      ['none', 'none'],
      ['any', 'required'],
      ['tool', one],
    ] as const) {
      const name = type === 'tool' ? { name: 'look' } : {}
      assert.deepEqual(choice({ type, ...name }), [made, undefined])
      assert.deepEqual(choice({ type, ...name, disable_parallel_tool_use: true }), [made, false])
    }
    assert.throws(() => choice({ type: 'tool' }), refusal)
    assert.equal('tool_choice' in task({ tool_choice: { type: 'any' } }), false)
  })

  it('is the same where nothing stands as null', () => {
    const text = { type: 'text', text: 'Hi', source: null, id: null, name: null, input: null, tool_use_id: null, thinking: null }
    const { request } = messagesTask({
      system: null,
      messages: [{ role: 'user', content: [text] }],
      tools: [{ name: 'look', input_schema: null }],
    })
    assert.deepEqual(request, task({}))
    const call = { type: 'tool_use', id: 'c1', name: 'look', input: null, text: null }
    const [turn] = task({ messages: [{ role: 'assistant', content: [call] }] }).messages ?? []
    assert.equal(turn?.tool_calls?.[0]?.function.arguments, '{}')
  })

  it('asks for JSON by a schema that is kept to', () => {
    const schema = { type: 'object' }
    const format = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } }
    assert.deepEqual(task({ output_config: { format: { type: 'json_schema', schema } } }).response_format, format)
    assert.throws(() => task({ output_config: { format: { type: 'json_schema' } } }), refusal)
    assert.deepEqual(task({ output_format: { type: 'json_schema', schema } }).response_format, format)
    assert.throws(() => task({ output_format: { type: 'json_schema' } }), /output_format: /)
  })

  it('thinks as it says: at all before how much', () => {
    const effort = (thinking: object | undefined, given?: string) =>
      task({
        ...(thinking === undefined ? {} : { thinking: thinking as never }),
        ...(given === undefined ? {} : { output_config: { effort: given } }),
      }).reasoning_effort
    assert.deepEqual(
      [
        effort({ type: 'enabled', budget_tokens: 1024 }),
        effort({ type: 'disabled' }, 'high'),
        effort({ type: 'adaptive' }, 'low'),
        effort(undefined),
      ],
      ['high', 'none', 'low', undefined],
    )
  })

  it('is refused where it names a thread', () => {
    assert.throws(() => translated({ thread: 'a' } as never), { kind: 'invalid_params', details: { unsupported: 'thread' } })
  })

  it('has one system message of all texts but the one that is for billing', () => {
    const system = [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=1' },
      { type: 'text', text: 'You are brief.' },
      { type: 'text', text: 'You are kind.' },
    ]
    assert.deepEqual(task({ system }).messages?.[0], { role: 'system', content: 'You are brief.\n\nYou are kind.' })
    assert.equal(task({ system: [system[0]] } as never).messages?.length, 1)
  })

  it('takes pictures only as they are', () => {
    const content = (source: object) =>
      task({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] } as never).messages?.[0]?.content
    const url = 'data:image/png;base64,AAAA'
    const made = [{ type: 'image_url', image_url: { url } }]
    assert.deepEqual(content({ type: 'base64', media_type: 'image/png', data: 'AAAA' }), made)
    assert.deepEqual(content({ type: 'url', url }), made)
    for (const wrong of [
      { type: 'url', url: 'https://example.org/a.png' },
      { type: 'file', file_id: 'f' },
    ])
      assert.throws(() => content(wrong), refusal)
  })

  it('goes on with what the assistant has thought, said and called', () => {
    const blocks = [
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'c1', name: 'look', input: { at: 1 } },
    ]
    const turn = (content: object[]) => task({ messages: [{ role: 'assistant', content }] } as never).messages?.[0]
    const tool_calls = [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }]
    assert.deepEqual(turn(blocks), { role: 'assistant', content: 'I look.', tool_calls, reasoning_content: 'hm' })
    assert.deepEqual(turn(blocks.slice(2)), { role: 'assistant', tool_calls })
    assert.deepEqual(turn(blocks.slice(0, 1)), { role: 'assistant', content: '', reasoning_content: 'hm' })
  })
})

describe('the session of a user at the door of Anthropic', () => {
  it('is in the id that agents give', () => {
    const of = (user_id: string | null): string | undefined => userSession({ user_id })
    assert.equal(of('{"device_id":"d","session_id":"s"}'), 's')
    for (const other of [null, 'user_1', '"s"', '{', '{"session_id":1}', '{}']) assert.equal(of(other), undefined)
    assert.equal(userSession(undefined), undefined)
  })
})

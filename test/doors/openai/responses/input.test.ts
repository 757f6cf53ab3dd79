import assert from 'node:assert/strict'
import { DomainError } from '../../../../src/domain/errors.ts'
import { messagesOf, type InputItem } from '../../../../src/doors/openai/responses/input.ts'
import { itemsGiven } from '../../../../src/doors/openai/responses/input-items.ts'
import { nothingBefore, responseTask, type ResponseBody } from '../../../../src/doors/openai/responses/request.ts'
import { knownAs } from '../../../../src/doors/openai/responses/tools.ts'

const call = (name: string, json: string): object => ({ id: 'c1', type: 'function', function: { name, arguments: json } })

const refused = (body: ResponseBody): string => {
  try {
    responseTask(body, nothingBefore)
  } catch (error) {
    assert.ok(error instanceof DomainError && error.kind === 'invalid_params')
    return error.message
  }
  return 'nothing'
}

describe('the input of a response', () => {
  it('may be a text, and messages without a type', () => {
    assert.deepEqual(messagesOf('Hi'), [{ role: 'user', content: 'Hi' }])
    assert.deepEqual(
      messagesOf([
        {
          role: 'developer',
          content: [
            { type: 'input_text', text: 'a' },
            { type: 'input_text', text: 'b' },
          ],
        },
        { role: 'user', content: [{ type: 'input_text', text: 'c' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'd' }] },
        { role: 'system', content: 'e' },
      ]),
      [
        { role: 'developer', content: 'a\n\nb' },
        { role: 'user', content: 'c' },
        { role: 'assistant', content: 'd' },
        { role: 'system', content: 'e' },
      ],
    )
  })

  it('joins what the assistant thinks, says and calls in a row', () => {
    assert.deepEqual(
      messagesOf([
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
        { role: 'assistant', content: 'I look.' },
        { type: 'function_call', call_id: 'c1', name: 'look', namespace: 'ns', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [
            { type: 'input_text', text: 'seen' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
          ],
        },
        { type: 'custom_tool_call', call_id: 'c1', name: 'patch', input: 'x' },
        { type: 'custom_tool_call_output', call_id: 'c1', output: 'done' },
      ]),
      [
        { role: 'assistant', content: 'I look.', tool_calls: [call('ns__look', '{}')], reasoning_content: 'hm' },
        { role: 'tool', tool_call_id: 'c1', content: 'seen' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] },
        { role: 'assistant', tool_calls: [call('patch', '{"input":"x"}')] },
        { role: 'tool', tool_call_id: 'c1', content: 'done' },
      ],
    )
  })

  it('passes over what only another server can read', () => {
    const foreign: InputItem[] = [
      { type: 'reasoning', encrypted_content: 'AAAA', summary: [{ type: 'summary_text', text: 'hm' }] },
      { type: 'web_search_call', id: 'ws_1' },
      { role: 'user', content: 'Hi' },
    ]
    assert.deepEqual(messagesOf(foreign), [{ role: 'user', content: 'Hi' }])
  })

  it('is refused where it cannot be taken, by the field', () => {
    const part = (given: { type: string; image_url?: string }): ResponseBody => ({ input: [{ role: 'user', content: [given] }] })
    assert.match(refused(part({ type: 'input_file' })), /^body\.input\[0\]\.content\[0\]\.type: input_file is not taken here/)
    assert.match(refused(part({ type: 'input_image' })), /^body\.input\[0\]\.content\[0\]\.image_url: /)
    assert.match(refused(part({ type: 'input_image', image_url: 'https://x/y.png' })), /only data: URLs/)
    assert.match(refused({ input: [{ type: 'function_call_output', output: 'x' }] }), /^body\.input\[0\]\.call_id: /)
    assert.match(refused({ input: [{ type: 'shell_output', output: 'x' }] }), /^body\.input\[0\]\.type: shell_output/)
    assert.match(refused({ input: [{}] }), /^body\.input\[0\]\.type: is missing/)
    assert.match(refused({}), /^body\.input: /)
    assert.match(refused({ input: 'x', conversation: 'conv_1' }), /^body\.conversation: /)
    assert.match(refused({ input: 'x', background: true, store: false }), /^body\.store: /)
    assert.match(
      refused({ input: 'x', tools: [{ type: 'function', name: 'f' }], tool_choice: { type: 'file_search' } }),
      /^body\.tool_choice\.type: /,
    )
    assert.match(refused({ input: 'x', text: { format: { type: 'json_schema' } } }), /^body\.text\.format\.schema: /)
  })

  it('comes back as items of the same meaning', () => {
    const items: InputItem[] = [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Hi' },
          { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
        ],
      },
      { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'hm' }] },
      { role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'c1', name: 'look', namespace: 'ns', arguments: '{}' },
      { type: 'custom_tool_call', call_id: 'c2', name: 'patch', input: 'x' },
      { type: 'function_call_output', call_id: 'c1', output: 'seen' },
      { type: 'custom_tool_call_output', call_id: 'c2', output: 'done' },
    ]
    const marks = [
      { known_as: 'ns__look', name: 'look', namespace: 'ns' },
      { known_as: 'patch', name: 'patch', custom: true as const },
    ]
    const given = itemsGiven('t', messagesOf(items), marks)
    assert.deepEqual(
      given.map(({ id, type }) => [id, type]),
      [
        ['msg_t_i0', 'message'],
        ['rs_t_i1', 'reasoning'],
        ['msg_t_i2', 'message'],
        ['fc_t_i3', 'function_call'],
        ['ctc_t_i4', 'custom_tool_call'],
        ['fco_t_i5', 'function_call_output'],
        ['ctco_t_i6', 'custom_tool_call_output'],
      ],
    )
    assert.deepEqual(messagesOf(given), messagesOf(items))
  })
})

describe('the tools of a response', () => {
  it('are offered as functions, and told as they were given', () => {
    const tools: NonNullable<ResponseBody['tools']> = [
      { type: 'function', name: 'run', parameters: { type: 'object' }, strict: false },
      { type: 'web_search' },
      { type: 'custom', name: 'patch', description: 'Patches.', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } },
      {
        type: 'namespace',
        name: 'agents',
        tools: [
          { type: 'function', name: 'wait' },
          { type: 'function', name: 'stop' },
        ],
      },
    ]
    const { request, told } = responseTask({ input: 'x', tools, tool_choice: { type: 'custom', name: 'patch' } }, nothingBefore)
    assert.deepEqual(
      request.tools?.map(({ function: { name } }) => name),
      ['run', 'patch', 'agents__wait', 'agents__stop'],
    )
    assert.match(request.tools[1]?.function.description ?? '', /^Patches\.\n\nThe input follows this grammar \(lark\):\nstart: "x"$/)
    assert.deepEqual(request.tool_choice, { type: 'function', function: { name: 'patch' } })
    assert.deepEqual(told.marks, [
      { name: 'patch', known_as: 'patch', custom: true },
      { name: 'wait', namespace: 'agents', known_as: 'agents__wait' },
      { name: 'stop', namespace: 'agents', known_as: 'agents__stop' },
    ])
  })

  it('have names that engines take, whatever their namespace', () => {
    const name = knownAs({ name: 'a'.repeat(60), namespace: 'mcp__server' })
    assert.equal(name.length, 64)
    assert.equal(name, knownAs({ name: 'a'.repeat(60), namespace: 'mcp__server' }))
    assert.notEqual(name, knownAs({ name: 'a'.repeat(61), namespace: 'mcp__server' }))
  })

  it('may be all but some of them left out', () => {
    const tools = [
      { type: 'function', name: 'a' },
      { type: 'function', name: 'b' },
    ]
    const { request } = responseTask(
      { input: 'x', tools, tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'b' }] } },
      nothingBefore,
    )
    assert.deepEqual([request.tools?.map(({ function: { name } }) => name), request.tool_choice], [['b'], 'required'])
  })
})

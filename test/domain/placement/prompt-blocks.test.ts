import assert from 'node:assert/strict'
import fc from 'fast-check'
import { block_bytes, promptBlocks } from '../../../src/domain/placement/prompt-blocks.ts'
import type { ChatMessage, Tool } from '../../../src/domain/task.ts'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 1200, size: 'max' }), fc.string({ maxLength: 3000, size: 'max' }))

const message: fc.Arbitrary<ChatMessage> = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: text }),
  text.map((content): ChatMessage => ({ role: 'tool', tool_call_id: 'c', content })),
  text.map((args): ChatMessage => {
    const call = { id: 'c', type: 'function', function: { name: 'look', arguments: args } } as const
    return { role: 'assistant', content: null, tool_calls: [call] }
  }),
  text.map((url): ChatMessage => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${url}` } } as const
    return { role: 'user', content: [{ type: 'text', text: 'see' }, image] }
  }),
)

const toolOf = (description: string): Tool => ({ type: 'function', function: { name: 'look', description } })

const startsWith = (longer: Int32Array, shorter: Int32Array): void => assert.deepEqual(longer.subarray(0, shorter.length), shorter)

describe('the blocks of a prompt', () => {
  it('of a longer text begin with those of the shorter one', () => {
    fc.assert(
      fc.property(text, text, (head, tail) => {
        // What is cut between the halves of a character is another text.
        fc.pre((head + tail).isWellFormed() && head.isWellFormed())
        startsWith(promptBlocks({ text: head + tail }), promptBlocks({ text: head }))
        assert.equal(promptBlocks({ text: head }).length, Math.floor(Buffer.byteLength(head) / block_bytes))
      }),
    )
  })

  it('of a conversation stay as they are when it grows', () => {
    fc.assert(
      fc.property(fc.array(message), message, fc.array(text.map(toolOf), { maxLength: 3 }), (messages, next, tools) => {
        const before = promptBlocks({ messages, tools })
        startsWith(promptBlocks({ messages: [...messages, next], tools }), before)
      }),
    )
  })

  it('differ from where the prompts differ, the tools and the system prompt included', () => {
    const long = (seed: string): string => seed.repeat(3 * block_bytes)
    const [system, question]: ChatMessage[] = [
      { role: 'system', content: long('s') },
      { role: 'user', content: long('q') },
    ]
    assert.ok(system !== undefined && question !== undefined)
    const blocks = promptBlocks({ messages: [system, question], tools: [toolOf(long('t'))] })
    const other = promptBlocks({ messages: [system, question], tools: [toolOf(long('u'))] })
    assert.equal(
      blocks.findIndex((block, i) => block !== other[i]),
      0,
    )
    const again = promptBlocks({ messages: [system, { role: 'user', content: `Q${long('q').slice(1)}` }] })
    const last = promptBlocks({ messages: [system, question] })
    assert.ok(last.length > 5)
    assert.deepEqual([...last.subarray(0, 3)], [...again.subarray(0, 3)])
    assert.notEqual(last.at(-1), again.at(-1))
  })

  it('are hardly ever equal by chance', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 3000; i++)
      for (const block of promptBlocks({
        text: String(i)
          .padStart(8)
          .repeat(block_bytes / 8),
      }))
        seen.add(block)
    assert.equal(seen.size, 3000)
  })

  it('do not depend on where a long text is cut to be hashed', () => {
    for (const unit of ['x', 'ü€', '🦊é']) {
      const long = unit.repeat(40_000)
      const blocks = promptBlocks({ text: long })
      assert.equal(blocks.length, Math.floor(Buffer.byteLength(long) / block_bytes))
      for (const length of [100, 9000, 20_001]) startsWith(blocks, promptBlocks({ text: unit.repeat(length) }))
    }
  })

  it('differ behind any character that does, also at the end of what is hashed at once', () => {
    const characters = new Array<string>(6000).fill('€')
    const last = (at: number): number | undefined =>
      promptBlocks({
        text: characters
          .with(at, '∑')
          .join('')
          .concat('x'.repeat(2 * block_bytes)),
      }).at(-1)
    const ends = Array.from({ length: 200 }, (_, i) => last(5300 + i))
    assert.equal(new Set(ends).size, 200)
  })

  it('end after a MiB', () => {
    for (const unit of ['x', '€', 'ü€x']) assert.equal(promptBlocks({ text: unit.repeat(3 << 20) }).length, 4096, unit)
  })

  it('differ where anything of a message does that a template shows again', () => {
    const call = (id: string, name: string, args: string): ChatMessage => ({
      ...{ role: 'assistant', content: null },
      tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
    })
    const image = (url: string): ChatMessage => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] })
    const sound = (data: string): ChatMessage => ({
      role: 'user',
      content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }],
    })
    const messages: ChatMessage[] = [
      ...[{ role: 'user', content: 'a' } as const, { role: 'user', content: 'b' } as const, { role: 'system', content: 'a' } as const],
      ...[{ role: 'user', name: 'n', content: 'a' } as const],
      ...['c', 'd'].map((tool_call_id) => ({ role: 'tool', tool_call_id, content: 'a' }) as const),
      ...[call('c', 'f', '{}'), call('d', 'f', '{}'), call('c', 'g', '{}'), call('c', 'f', '[]')],
      ...[image('x'), image('y'), image('x'.repeat(9000)), image('y'.repeat(9000)), image('x'.repeat(9001)), sound('z'), sound('w')],
    ]
    const after: ChatMessage = { role: 'user', content: 'q'.repeat(block_bytes) }
    const numbers = messages.map((one) => promptBlocks({ messages: [one, after] }).at(-1))
    assert.equal(new Set(numbers).size, messages.length)
  })

  it('are few for an attachment, however large it is', () => {
    const url = 'x'.repeat(4 << 20)
    assert.ok(promptBlocks({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }).length <= 3)
  })
})

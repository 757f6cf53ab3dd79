import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MessageFrames } from '../../../src/doors/anthropic/message-frames.ts'
import type { Part, ToolCallPart } from '../../../src/domain/stream/part.ts'
import type { EndEvent } from '../../../src/domain/stream/task-events.ts'

/** A block, with the text of its deltas. */
type Block = NonNullable<Event['content_block']> & { text: string; input: string }

interface Event {
  readonly type: string
  readonly index?: number
  readonly content_block?: { readonly type: string; readonly id?: string; readonly name?: string }
  readonly delta?: { readonly text?: string; readonly partial_json?: string }
}

const end = { tokens_in: 1, tokens_out: 1, finish_reason: 'tool_calls' } as EndEvent

/** The blocks of an answer as a client puts them together: it takes one block after the other, and each once. */
function blocksOf(parts: readonly Part[]): Block[] {
  const frames = new MessageFrames({ task_id: 't', model: 'm', prompt_tokens: 1 })
  const text = parts.map((part) => frames.part(part)).join('') + frames.terminal({ end })
  const blocks: Block[] = []
  let open = -1
  for (const frame of text.split('\n\n').filter((one) => one !== '')) {
    const event = JSON.parse(frame.slice(frame.indexOf('data: ') + 6)) as Event
    if (event.type === 'content_block_start') {
      assert.deepEqual([open, event.index], [-1, blocks.length])
      open = blocks.push({ ...event.content_block, type: event.content_block?.type ?? '', text: '', input: '' }) - 1
    } else if (event.type === 'content_block_delta') {
      const block = blocks[open]
      assert.ok(block !== undefined && event.index === open)
      block.text += event.delta?.text ?? ''
      block.input += event.delta?.partial_json ?? ''
    } else if (event.type === 'content_block_stop') {
      assert.equal(event.index, open)
      open = -1
    }
  }
  assert.equal(open, -1)
  return blocks
}

const begin = (index: number, text = ''): ToolCallPart => ({ kind: 'tool_call', index, id: `c${index}`, name: `f${index}`, text })
const piece = (index: number, text: string): ToolCallPart => ({ kind: 'tool_call', index, text })
const call = (index: number, input: string) => ({ type: 'tool_use', id: `c${index}`, name: `f${index}`, text: '', input })

describe('calls in a stream at the door of Anthropic', () => {
  it('come one after the other and whole, though an engine mixes their pieces', () => {
    const mixed = [begin(0), begin(1), piece(0, '{"a"'), piece(1, '{"b":'), piece(0, ':1}'), piece(1, '2}')]
    assert.deepEqual(blocksOf(mixed), [call(0, '{"a":1}'), call(1, '{"b":2}')])
    const said = blocksOf([...mixed, { kind: 'text', text: 'Do' }, { kind: 'text', text: 'ne.' }])
    assert.deepEqual(
      said.map(({ type, text }) => [type, text]),
      [
        ['tool_use', ''],
        ['tool_use', ''],
        ['text', 'Done.'],
      ],
    )
  })

  it('are the same however their pieces are mixed', () => {
    const inputs = fc.array(fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), { maxKeys: 2 }), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.nat({ max: 1000 })), (given, order) => {
        const queues = given.map((input, index) => [begin(index), ...Array.from(JSON.stringify(input), (text) => piece(index, text))])
        const parts: Part[] = queues.flatMap((queue) => queue.shift() ?? [])
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0)
          const { value } = order.next() as { value: number }
          parts.push(...(left[value % left.length]?.splice(0, 1) ?? []))
        }
        assert.deepEqual(
          blocksOf(parts),
          given.map((input, index) => call(index, JSON.stringify(input))),
        )
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { ResponseFrames } from '../../../../src/doors/openai/responses/frames.ts'
import { itemsGiven, pageOf } from '../../../../src/doors/openai/responses/input-items.ts'
import { messagesOf } from '../../../../src/doors/openai/responses/input.ts'
import { responseTask } from '../../../../src/doors/openai/responses/request.ts'
import { responseOf } from '../../../../src/doors/openai/responses/response.ts'
import { toolsGiven } from '../../../../src/doors/openai/responses/tools.ts'
import type { Part } from '../../../../src/domain/stream/part.ts'
import { ended, eventsOf, headOf } from './parts.kit.ts'

const head = headOf({ background: false, summary: false })
const text = (of: string): Part => ({ kind: 'text', text: of })
const call = (index: number): Part => ({ kind: 'tool_call', index, id: `c${index}`, name: 'plain', text: '{}' })
const end = (finish_reason: 'stop' | 'length') => ({ end: { ...ended, finish_reason } })

/** All that a reader gets who has had everything up to this number. */
const framesAfter = (after: number, parts: readonly Part[]): ResponseFrames & { readonly told: string } => {
  const frames = new ResponseFrames(head, { after })
  const told = frames.started() + parts.map((part) => frames.part(part)).join('')
  return Object.assign(frames, { told })
}

describe('the input of a response, in its details', () => {
  it('has a thought of before with what follows it, and none that another server keeps to itself', () => {
    const said = (content: string) => ({ role: 'assistant' as const, content })
    const thought = { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'hm' }] }
    assert.deepEqual(messagesOf([said('a'), thought, said('b')]), [
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b', reasoning_content: 'hm' },
    ])
    assert.deepEqual(messagesOf([{ ...thought, encrypted_content: 'AAAA' }, said('b')]), [{ role: 'assistant', content: 'b' }])
  })

  it('has tools of before known as they were, unless one of the same name is offered now', () => {
    const before = { messages: [], marks: ['patch', 'draw'].map((name) => ({ name, known_as: name, custom: true as const })) }
    const { told } = responseTask({ input: 'a', tools: [{ type: 'function', name: 'patch' }] }, before)
    assert.deepEqual(told.marks, before.marks.slice(1))
  })

  it('is listed the last first, in pages that say whether there is more', () => {
    const items = itemsGiven(
      't',
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
      [],
    )
    assert.deepEqual(items[0]?.['content'], [{ type: 'input_text', text: 'a' }])
    assert.deepEqual(items[1]?.['content'], [{ type: 'output_text', text: 'b', annotations: [], logprobs: [] }])
    const idsOf = (query: Parameters<typeof pageOf>[1]): readonly unknown[] => {
      const { data, has_more, first_id, last_id } = pageOf(items, query)
      assert.deepEqual([first_id, last_id], [data[0]?.id ?? null, data.at(-1)?.id ?? null])
      return [...data.map(({ id }) => id), has_more]
    }
    const [first, last] = ['msg_t_i0', 'msg_t_i1']
    assert.deepEqual(idsOf({}), [last, first, false])
    assert.deepEqual(idsOf({ order: 'asc' }), [first, last, false])
    assert.deepEqual(idsOf({ limit: 1 }), [last, true])
    assert.deepEqual(idsOf({ limit: 2 }), [last, first, false])
    assert.deepEqual(idsOf({ limit: 1, after: last }), [first, false])
    assert.deepEqual(idsOf({ after: first }), [false])
    assert.throws(() => pageOf(items, { after: 'none' }), { kind: 'invalid_params' })
  })

  it('names tools below their namespaces as they were given', () => {
    const tool = (name: string) => ({ type: 'function' as const, function: { name } })
    const marks = ['a__x', 'a__y', 'b__x'].map((known_as) => ({ known_as, namespace: known_as[0] ?? '', name: known_as.slice(3) }))
    assert.deepEqual(
      toolsGiven(['a__x', 'a__y', 'b__x', 'plain'].map(tool), marks).map(({ type, name, tools }) => [
        type,
        name,
        tools?.map((one) => one.name),
      ]),
      [
        ['namespace', 'a', ['x', 'y']],
        ['namespace', 'b', ['x']],
        ['function', 'plain', undefined],
      ],
    )
  })
})

describe('the events of a response, in their details', () => {
  it('say that the last item is incomplete where the limit has cut it', () => {
    for (const [reason, status] of [
      ['length', 'incomplete'],
      ['stop', 'completed'],
    ] as const) {
      const frames = framesAfter(-1, [text('a')])
      const done = eventsOf(frames.terminal(end(reason))).find(({ type }) => type === 'response.output_item.done')
      assert.equal((done?.data['item'] as { status: string }).status, status)
      assert.deepEqual([frames.response().status, frames.output[0]?.status], [status, status])
    }
  })

  it('have calls with ids that differ', () => {
    const { output } = framesAfter(-1, [call(0), call(1)])
    assert.equal(new Set(output.map((item) => item['call_id'])).size, 2)
  })

  it('give a character whole to a reader who has had half of it, and a sign of life that counts nothing', () => {
    const whole = eventsOf(framesAfter(-1, [text('a🦢b')]).told)
    const last = whole.at(-1)?.number ?? 0
    const rest = framesAfter(last - 2, [text('a🦢b')])
    const [delta] = eventsOf(rest.told)
    assert.deepEqual([delta?.type, delta?.number, delta?.data['delta']], ['response.output_text.delta', last, '🦢b'])
    const silent = framesAfter(last, [text('a🦢b')])
    assert.equal(silent.told, '')
    assert.deepEqual(
      eventsOf(silent.sign).map(({ type, number }) => [type, number]),
      [['response.in_progress', last]],
    )
  })

  it('tell when it was completed', () => {
    const { completed_at, created_at } = responseOf({ ...head, accepted_at: 10_000 }, [], {
      end: { ...ended, finish_reason: 'stop', first_token_ms: 1500, decode_ms: 2600 },
    })
    assert.deepEqual([created_at, completed_at], [10, 14])
  })
})

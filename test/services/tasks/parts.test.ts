import assert from 'node:assert/strict'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { Feature, TaskRequest } from '../../../src/domain/task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, startRig, type Rig, type RigOptions, type Tail, type TaskFields } from '../../harness/rig.ts'

const features: readonly Feature[] = ['chat_template', 'tools', 'reasoning', 'logprobs', 'json_object']
const props = { features }
const tools: TaskRequest['tools'] = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }]
const asked: TaskFields = {
  ...{ task_id: 't', prompt: undefined, messages: [{ role: 'user', content: 'hello' }] },
  ...{ tools, tool_choice: 'auto', parallel_tool_calls: true, reasoning_effort: 'low', logprobs: true, top_logprobs: 1 },
}

const logprobs = [{ token: 'Let me', logprob: -0.1, bytes: null, top_logprobs: [{ token: 'Let me', logprob: -0.1, bytes: null }] }]
const answer: readonly Part[] = [
  { kind: 'reasoning', text: 'I should ' },
  { kind: 'reasoning', text: 'read' },
  { kind: 'text', text: 'Let me', logprobs },
  { kind: 'tool_call', index: 0, id: 'c0', name: 'read', text: '' },
  { kind: 'tool_call', index: 0, text: '{"path":' },
  { kind: 'tool_call', index: 0, text: '"a"}' },
  { kind: 'tool_call', index: 1, id: 'c1', name: 'read', text: '{' },
  { kind: 'tool_call', index: 1, text: '}' },
]

/** What a client gets for these parts, without their indices. */
const shown = [
  ['reasoning', { t: 'I should ' }],
  ['reasoning', { t: 'read' }],
  ['token', { t: 'Let me', logprobs }],
  ['tool_call', { index: 0, id: 'c0', name: 'read', arguments: '' }],
  ['tool_call', { index: 0, arguments: '{"path":' }],
  ['tool_call', { index: 0, arguments: '"a"}' }],
  ['tool_call', { index: 1, id: 'c1', name: 'read', arguments: '{' }],
  ['tool_call', { index: 1, arguments: '}' }],
]

const partsOf = (tail: Tail): unknown[] =>
  tail.frames
    .filter(({ event }) => event === 'reasoning' || event === 'token' || event === 'tool_call')
    .map(({ event, data }) => [event, Object.fromEntries(Object.entries(data ?? {}).filter(([name]) => name !== 'i'))])

/** Text of each kind and call, whatever pieces it came in. */
function joined(...tails: readonly Tail[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const { event, data } of tails.flatMap(({ frames }) => frames)) {
    if (event !== 'reasoning' && event !== 'token' && event !== 'tool_call') continue
    const key = event === 'tool_call' ? `call ${String(data?.['index'])}` : event
    texts[key] = (texts[key] ?? '') + String(data?.['t'] ?? data?.['arguments'])
  }
  return texts
}
const whole = { reasoning: 'I should read', token: 'Let me', 'call 0': '{"path":"a"}', 'call 1': '{}' }

const give = (rig: Rig, from = 0, to = answer.length): void => {
  for (const part of answer.slice(from, to)) rig.engine().call.give(part)
}
const end = async (rig: Rig): Promise<void> => {
  rig.engine().call.finish({ finish_reason: 'tool_calls', tokens_in: 9, tokens_out: 12, tokens_reasoning: 4, tokens_in_cached: 5 })
  await settled()
}
const start = (options: RigOptions = {}): Promise<Rig> => startRig({ props, ...options })

describe('parts of all kinds', () => {
  it('go from the request to the engine, to the stream, to the end and into the transcript', async () => {
    const rig = await start()
    await rig.run(asked)
    const { prompt, chat } = rig.engine().call.request
    assert.deepEqual(prompt, { messages: asked.messages, tools })
    assert.deepEqual(chat, { tool_choice: 'auto', parallel_tool_calls: true, reasoning_effort: 'low', logprobs: true, top_logprobs: 1 })
    const tail = await rig.tail('t')
    give(rig)
    await end(rig)
    assert.deepEqual(partsOf(tail), shown)
    assert.deepEqual(
      tail.frames.flatMap(({ data }) => (typeof data?.['i'] === 'number' ? [data['i']] : [])),
      answer.map((_, index) => index),
    )
    const { artifact_id, ...rest } = tail.end ?? {}
    assert.deepEqual(rest, {
      ...{ tokens_in: 9, tokens_out: 12, tokens_in_cached: 5, tokens_reasoning: 4, queue_ms: 0, first_token_ms: 0, decode_ms: 0 },
      ...{ finish_reason: 'tool_calls', replica_id: 'r0' },
    })
    assert.deepEqual(partsOf(await rig.tail('t')), shown, 'a finished task replays')
    const stored = await rig.storage.artifacts.get('ann', String(artifact_id))
    const transcript = JSON.parse(stored?.artifact.content ?? '') as Record<string, unknown>
    assert.deepEqual(transcript['parts'], answer)
    assert.deepEqual([transcript['text'], transcript['finish_reason']], ['Let me', 'tool_calls'])
    assert.equal((await rig.tasks.get(ann, 't')).finish_reason, 'tool_calls')
  })

  it('go on after a failure in any place, where the engine gives the same again', async () => {
    for (let out = 0; out <= answer.length; out++) {
      const rig = await start()
      await rig.run(asked)
      const tail = await rig.tail('t')
      give(rig, 0, out)
      rig.engine().call.fail()
      await settled()
      assert.equal(rig.engine().calls.length, 2)
      give(rig)
      await end(rig)
      assert.deepEqual(partsOf(tail), shown, `after ${out} parts`)
    }
  })

  it('go on where the engine cuts them into other pieces and gives calls other ids', async () => {
    const rig = await start()
    await rig.run(asked)
    const tail = await rig.tail('t')
    give(rig, 0, 5)
    rig.engine().call.fail()
    await settled()
    const again: readonly Part[] = [
      { kind: 'reasoning', text: 'I should read' },
      { kind: 'text', text: 'Let ' },
      { kind: 'text', text: 'me' },
      { kind: 'tool_call', index: 0, id: 'other', name: 'read', text: '{"path":"a' },
      { kind: 'tool_call', index: 0, text: '"}' },
      ...answer.slice(6),
    ]
    for (const part of again) rig.engine().call.give(part)
    await end(rig)
    assert.deepEqual(joined(tail), whole)
    const ids = tail.frames.flatMap(({ data }) => (data?.['id'] === undefined ? [] : [data['id']]))
    assert.deepEqual(ids, ['c0', 'c1'], 'a call keeps the id that the client knows')
  })

  it('end honestly where another tool is called the second time', async () => {
    const rig = await start()
    await rig.run(asked)
    const tail = await rig.tail('t')
    give(rig, 0, 5)
    rig.engine().call.fail()
    await settled()
    give(rig, 0, 3)
    rig.engine().call.give({ kind: 'tool_call', index: 0, id: 'c0', name: 'write', text: '{"path":' })
    await settled()
    assert.deepEqual([tail.end?.['code'], joined(tail)['call 0']], ['WORKER_RESET', '{"path":'])
  })

  it('go on after a replica that died in the middle of a call is back', async () => {
    const rig = await start()
    await rig.run(asked)
    const tail = await rig.tail('t')
    give(rig, 0, 5)
    rig.engine().die()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
    await rig.clock.advance(250)
    give(rig)
    await end(rig)
    assert.deepEqual(partsOf(tail), shown)
  })

  it('go on after a restart in the middle of a call, for a reader that has any part of it', async () => {
    for (let out = 1; out < answer.length; out++) {
      const rig = await start()
      await rig.run(asked)
      const before = await rig.tail('t')
      give(rig, 0, out)
      const next = await start({ storage: rig.storage, clock: rig.clock })
      assert.equal(next.engine().call.request.seed, rig.engine().call.request.seed)
      const after = await next.tail('t', ann, before.frames.at(-1)?.id)
      give(next)
      await end(next)
      assert.deepEqual(joined(before, after), whole, `after ${out} parts`)
      assert.equal(after.end?.['finish_reason'], 'tool_calls')
    }
  })
})

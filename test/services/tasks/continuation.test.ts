import assert from 'node:assert/strict'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { TaskRequest } from '../../../src/domain/task.ts'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type Rig, type RigOptions, type Tail, type TaskFields } from '../../harness/rig.ts'

/** An engine that goes on from text, and gives another one each time. */
const props: RigOptions['props'] = {
  replayable: false,
  features: ['chat_template', 'prefill', 'stop_sequences', 'tools', 'reasoning', 'json_object', 'continues'],
}
const start = (options: RigOptions = {}): Promise<Rig> => startRig({ props, ...options })
const again = (rig: Rig): Promise<Rig> => start({ storage: rig.storage, clock: rig.clock })

async function say(rig: Rig, ...pieces: readonly (string | Part)[]): Promise<void> {
  for (const piece of pieces) rig.engine().call.give(typeof piece === 'string' ? { kind: 'text', text: piece } : piece)
  await settled()
}

const indices = ({ frames }: Tail): unknown[] => frames.flatMap(({ data }) => (data?.['i'] === undefined ? [] : [data['i']]))

describe('continuation', () => {
  it('goes on from the text that is out: less is left to generate, the seed stays, and usage adds up', async () => {
    const rig = await start()
    await rig.run({ task_id: 't', max_tokens: 10, seed: 7 })
    const tail = await rig.tail('t')
    await say(rig, 'one ', 'two ')
    rig.engine().call.fail()
    await settled()
    const { continue_from, max_tokens, seed } = rig.engine().call.request
    assert.deepEqual([continue_from, max_tokens, seed], ['one two ', 8, 7])
    await say(rig, 'three')
    // It counts the text that it was given as prompt.
    rig.engine().call.finish({ tokens_in: 5, tokens_out: 1, tokens_in_cached: 4 })
    await settled()
    assert.deepEqual([tail.text, indices(tail)], ['one two three', [0, 1, 2]])
    const { tokens_in, tokens_out, tokens_in_cached, finish_reason } = tail.end ?? {}
    assert.deepEqual([tokens_in, tokens_out, tokens_in_cached, finish_reason], [3, 3, 3, 'stop'])
    assert.deepEqual(await rig.storage.journal.recorded({ owner: 'ann', task_id: 't' }), [])
    const stored = await rig.storage.artifacts.get('ann', String(tail.end?.['artifact_id']))
    assert.equal((JSON.parse(stored?.artifact.content ?? '') as { text: string }).text, 'one two three')
  })

  it('gives no part out before it is in the journal, and takes one commit for what comes meanwhile, of all tasks', async () => {
    const rig = await start({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 3 }] })] })
    for (const task_id of ['a', 'b', 'c']) await rig.run({ task_id })
    const tails = await Promise.all(['a', 'b', 'c'].map((id) => rig.tail(id)))
    const texts = (): string[] => tails.map(({ text }) => text)
    const before = rig.storage.commits.length
    rig.storage.hold()
    rig.engine().calls[0]?.say('a1 ')
    await settled()
    for (const call of rig.engine().calls) for (let i = 0; i < 5; i++) call.say('x ')
    await settled()
    assert.deepEqual(texts(), ['', '', ''])
    rig.storage.release()
    await settled()
    assert.deepEqual(texts(), ['a1 x x x x x ', 'x x x x x ', 'x x x x x '])
    assert.equal(rig.storage.commits.length - before, 2)
  })

  it('waits for a disk that is full, and loses nothing', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.refuses = 'parts'
    await say(rig, 'one ')
    await say(rig, 'two')
    rig.engine().call.finish()
    await rig.clock.advance(1500)
    assert.equal(tail.text, '')
    rig.storage.refuses = undefined
    await rig.clock.advance(1000)
    assert.deepEqual([tail.text, tail.end?.['finish_reason']], ['one two', 'stop'])
  })

  it('can be canceled while the disk is full, and keeps no slot', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.refuses = 'parts'
    await say(rig, 'one ')
    rig.engine().call.finish()
    await settled()
    await rig.cancellation.cancel(ann, 't')
    await settled()
    assert.deepEqual([tail.text, tail.end?.['code'], rig.pool().slotsBusy], ['', 'CANCELED', 0])
  })

  it('goes on after a restart from what the journal has, and readers by their ids', async () => {
    const rig = await start()
    await rig.run({ task_id: 't', max_tokens: 10 })
    await say(rig, 'one ', 'two ')
    const first = await rig.tail('t')
    const next = await again(rig)
    const tail = await next.tail('t', ann, first.frames.at(-1)?.id)
    assert.equal(tail.kinds, '')
    assert.deepEqual([next.engine().call.request.continue_from, next.engine().call.request.max_tokens], ['one two ', 8])
    await say(next, 'three')
    next.engine().call.finish({ tokens_in: 5, tokens_out: 1 })
    await settled()
    assert.deepEqual([first.text + tail.text, tail.end?.['tokens_out']], ['one two three', 3])
    assert.deepEqual(indices(await next.tail('t')), [0, 1, 2])
  })

  it('begins anew after a restart where nothing was out', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    const next = await again(rig)
    assert.equal(next.engine().call.request.continue_from, undefined)
    assert.equal((await next.tasks.get(ann, 't')).state, 'running')
  })

  it('goes on after an orderly stop, which does not count', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    await say(rig, 'one ')
    const stopping = rig.quiesce(100)
    await rig.clock.advance(100)
    await stopping
    const next = await again(rig)
    assert.deepEqual([next.engine().call.request.continue_from, next.task('t').attempts], ['one ', 1])
  })

  it('ends with what is out where that is all there may be, or where only its end was lost', async () => {
    const rig = await start()
    await rig.run({ task_id: 't', max_tokens: 2 })
    const full = await rig.tail('t')
    await say(rig, 'one ', 'two')
    rig.engine().call.fail()
    await settled()
    assert.equal(rig.engine().calls.length, 1, 'nobody is asked for nothing')
    assert.deepEqual([full.text, full.end?.['finish_reason'], full.end?.['tokens_out']], ['one two', 'length', 2])
    await rig.run({ task_id: 'u' })
    const whole = await rig.tail('u')
    await say(rig, 'one ', 'two')
    rig.engine().call.fail()
    await settled()
    rig.engine().call.finish({ tokens_in: 5, tokens_out: 0 })
    await settled()
    assert.deepEqual([whole.text, whole.end?.['finish_reason'], whole.end?.['tokens_out']], ['one two', 'stop', 2])
  })

  it('finds a stop sequence that begins before the seam and ends after it', async () => {
    const rig = await start()
    await rig.run({ task_id: 't', sampling: { stop: ['END'] } })
    const tail = await rig.tail('t')
    await say(rig, 'one E')
    rig.engine().call.fail()
    await settled()
    await say(rig, 'N', 'D two')
    assert.deepEqual([tail.text, tail.end?.['finish_reason']], ['one E', 'stop'])
    assert.deepEqual(rig.engine().running, [])
    await rig.run({ task_id: 'u', sampling: { stop: ['END'] } })
    const other = await rig.tail('u')
    await say(rig, 'one E')
    rig.engine().call.fail()
    await settled()
    await say(rig, 'N', 'OUGH')
    rig.engine().call.finish()
    await settled()
    assert.equal(other.text, 'one ENOUGH')
  })

  const tools: TaskRequest['tools'] = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }]
  const chat: TaskFields = { prompt: undefined, messages: [{ role: 'user', content: 'hello' }] }
  const call: Part = { kind: 'tool_call', index: 0, id: 'c', name: 'read', text: '{' }
  for (const [what, fields, out, goesOn] of [
    ['a tool call that has begun', { ...chat, tools }, ['Let me ', call], false],
    ['reasoning that is open', { ...chat, reasoning_effort: 'low' }, [{ kind: 'reasoning', text: 'Hm' }], false],
    ['text after reasoning', { ...chat, reasoning_effort: 'low' }, [{ kind: 'reasoning', text: 'Hm' }, 'So '], true],
    ['a format', { ...chat, response_format: { type: 'json_object' } }, ['{'], false],
    ['a conversation', chat, ['So '], true],
  ] as const)
    for (const how of ['its engine', 'the daemon'] as const)
      it(`${goesOn ? 'goes on' : 'ends with WORKER_RESET'} after a failure of ${how}: ${what}`, async () => {
        const rig = await start()
        await rig.run({ task_id: 't', ...fields })
        await say(rig, ...out)
        if (how === 'its engine') rig.engine().call.fail()
        const next = how === 'its engine' ? rig : await again(rig)
        await settled()
        assert.equal(next.engine().calls.length, (goesOn ? 1 : 0) + (how === 'its engine' ? 1 : 0))
        if (goesOn) {
          assert.equal(next.engine().call.request.continue_from, 'So ')
          await say(next, 'there')
          next.engine().call.finish({ tokens_reasoning: 0 })
          await settled()
        }
        const tail = await next.tail('t')
        assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], goesOn ? [undefined, undefined] : ['WORKER_RESET', true])
        if (goesOn) assert.equal(tail.text, 'So there')
        if (what === 'text after reasoning') assert.equal(tail.end?.['tokens_reasoning'], 1)
      })

  it('ends with WORKER_RESET, and may be sent again, where the engine refuses to go on', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    await say(rig, 'one')
    rig.engine().call.fail()
    await settled()
    rig.engine().call.fail(new EngineError('no', { retriable: false }))
    await settled()
    const { end } = await rig.tail('t')
    assert.deepEqual([end?.['code'], end?.['retriable']], ['WORKER_RESET', true])
  })

  it('keeps no more of a task in the journal than is good for it; after a restart that one ends honestly', async () => {
    const rig = await start()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    const large = 'x'.repeat(2.5 * 1024 * 1024)
    for (const text of [large, large]) await say(rig, text)
    assert.equal(rig.task('t').runs.complete, false, 'what is told of a restart has to know')
    for (const text of ['more ', 'and more']) await say(rig, text)
    assert.equal(tail.text.length, 2 * large.length + 13)
    const recorded = await rig.storage.journal.recorded({ owner: 'ann', task_id: 't' })
    assert.deepEqual(
      recorded.map(({ length }) => length),
      [large.length + 4, 0],
    )
    const next = await again(rig)
    await settled()
    assert.deepEqual([(await next.tail('t')).end?.['code'], next.engine().calls.length], ['WORKER_RESET', 0])
  })
})

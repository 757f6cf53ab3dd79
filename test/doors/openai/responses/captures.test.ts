import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import type { Conversation } from '../../../../src/ports/engine.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../../../harness/daemon.ts'
import { startDoorRig } from '../../../harness/door-rig.ts'
import { settled } from '../../../harness/fake-clock.ts'
import type { EngineCall } from '../../../harness/scripted-engine.ts'
import { until } from '../../../harness/wait.ts'
import { eventsOf } from './parts.kit.ts'

interface Capture {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

const folder = new URL('../../../fixtures/clients/', import.meta.url).pathname
const files = globSync('*/*responses*.json', { cwd: folder }).sort()
const capture = (file: string): Capture => JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as Capture

/** The conversation that an engine was given. */
function asked({ request: { prompt } }: EngineCall): Conversation {
  assert.ok('messages' in prompt)
  return prompt
}

describe('what clients send to /v1/responses', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool({ ctx: 200_000, mock: { prefill_ms: 0, token_ms: 0, tokens: 8 } })] })
  })
  after(() => daemon.stop())

  it('is all there', () => assert.equal(files.length, 30))

  for (const file of files)
    it(`is answered: ${file}`, async () => {
      const { path, headers, body } = capture(file)
      const response = await fetch(`${daemon.url}${path}`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${keys.data}` },
        body: JSON.stringify({ ...body, model: 'mock:v1' }),
      })
      const text = await response.text()
      assert.equal(response.status, 200, text)
      if (body['stream'] === true) assert.equal(eventsOf(text).at(-1)?.type, 'response.completed')
      else assert.equal((JSON.parse(text) as { status: string }).status, 'completed')
    })
})

describe('Codex and a model that calls its tools', () => {
  const props = { ctx_max: 100_000, features: ['chat_template', 'system_messages', 'stop_sequences', 'tools', 'reasoning'] as const }

  it('gets the call with its namespace, and the second turn gives the model the result', async () => {
    const door = await startDoorRig({
      props: { ...props, features: [...props.features] },
      pools: [{ id: 'pool', engine: 'mock', driver: 'in-process', model: 'mock:v1', ctx: 100_000, replicas: [{ id: 'r0', slots: 1 }] }],
    })
    try {
      const [first, second] = [capture('codex/01-responses-tools-stream.json'), capture('codex/02-responses-tools-result-stream.json')]
      const turn = async (body: object, say: () => void): Promise<ReturnType<typeof eventsOf>> => {
        const calls = door.engine().calls.length
        const answer = door.post('/v1/responses', { ...body, model: 'mock:v1' })
        await until(() => door.engine().calls.length > calls)
        say()
        const text = (await answer).text()
        await settled()
        return eventsOf(await text)
      }
      const events = await turn(first.body, () => {
        const { call } = door.engine()
        const names = asked(call).tools?.map(({ function: { name } }) => name) ?? []
        assert.ok(names.includes('exec_command') && names.includes('multi_agent_v1__close_agent') && !names.includes('web_search'))
        call.give({ kind: 'reasoning', text: 'I write it.' })
        call.give({ kind: 'tool_call', index: 0, id: 'x', name: 'exec_command', text: '{"cmd":' })
        call.give({ kind: 'tool_call', index: 0, text: '"ls"}' })
        call.give({ kind: 'tool_call', index: 1, id: 'y', name: 'multi_agent_v1__close_agent', text: '{"target":"a"}' })
        call.finish({ finish_reason: 'tool_calls' })
      })
      const done = events.flatMap(({ type, data }) =>
        type === 'response.output_item.done' ? [data['item'] as Record<string, unknown>] : [],
      )
      assert.deepEqual(
        done.map(({ type, name, namespace, arguments: json }) => [type, name, namespace, json]),
        [
          ['reasoning', undefined, undefined, undefined],
          ['function_call', 'exec_command', undefined, '{"cmd":"ls"}'],
          ['function_call', 'close_agent', 'multi_agent_v1', '{"target":"a"}'],
        ],
      )
      // As Codex does: what came, passed back with the result of each call.
      const input = second.body['input'] as Record<string, unknown>[]
      const said = input.slice(
        0,
        input.findIndex(({ type }) => type === 'function_call'),
      )
      const outputs = done.slice(1).map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'ok' }))
      const last = await turn({ ...second.body, input: [...said, ...done, ...outputs] }, () => {
        const { call } = door.engine()
        const messages = asked(call).messages.slice(-3)
        assert.deepEqual(
          messages.map(({ role }) => role),
          ['assistant', 'tool', 'tool'],
        )
        assert.equal(messages[0]?.reasoning_content, 'I write it.')
        assert.deepEqual(
          messages[0].tool_calls?.map(({ id }) => id),
          messages.slice(1).map(({ tool_call_id }) => tool_call_id),
        )
        assert.equal(messages[0].tool_calls[1]?.function.name, 'multi_agent_v1__close_agent')
        call.say('Done.')
        call.finish()
      })
      const { output, usage } = last.at(-1)?.data['response'] as { output: { content: { text: string }[] }[]; usage: object }
      assert.equal(output[0]?.content[0]?.text, 'Done.')
      assert.ok('input_tokens_details' in usage && 'output_tokens_details' in usage)
    } finally {
      await door.close()
    }
  })
})

import assert from 'node:assert/strict'
import type { Conversation } from '../../src/ports/engine.ts'
import { responseProblems } from '../harness/contract.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { isComplete } from '../harness/door-streams.ts'
import { calling, saying, ScriptedModel, type Script } from '../harness/scripted-model.ts'
import { captures, operationOf, replay, roomyPool, type Capture } from './captures.kit.ts'
import { callsIn, read, type Said } from './conversations.kit.ts'

const goodbye = 'It is done, and this is the end.'

/** Captures of one conversation: the turn in which the model calls a tool, and the one that brings the result. */
const conversations = captures.flatMap((result) => {
  if (!result.name.includes('-tools-result')) return []
  const kind = (name: string): string => name.replace('-result', '').replace(/\/\d+/, '')
  const first = captures.filter(({ name }) => name < result.name && !name.includes('-result') && kind(name) === kind(result.name)).at(-1)
  assert.ok(first, result.name)
  return [{ first, result }]
})

/** A request with other ids of calls. */
function withIds(capture: Capture, ids: ReadonlyMap<string, string>): Capture {
  const body = [...ids].reduce((json, [old, id]) => json.replaceAll(JSON.stringify(old), JSON.stringify(id)), JSON.stringify(capture.body))
  return { ...capture, body: JSON.parse(body) as Record<string, unknown> }
}

describe('conversations of clients, turn by turn', function () {
  let daemon: TestDaemon
  let script: Script = () => []
  const asked: Conversation[] = []
  before(async () => {
    const model = new ScriptedModel((conversation, request) => {
      asked.push(conversation)
      return script(conversation, request)
    })
    daemon = await startDaemon({ pools: [roomyPool()] }, { engines: () => model })
  })
  after(() => daemon.stop())

  async function turn(capture: Capture): Promise<Said> {
    asked.length = 0
    const received = await replay(daemon.url, capture, keys.data)
    assert.equal(received.status, 200, received.text)
    assert.deepEqual(responseProblems(operationOf(capture), received), [])
    if (capture.body?.['stream'] === true) assert.ok(isComplete(received.text), received.text.slice(-300))
    assert.equal(asked.length, 1)
    return read(capture, received.text)
  }

  for (const { first, result } of conversations)
    it(`${result.name} brings what the model has asked for`, async () => {
      const wanted = callsIn(result)
      assert.ok(wanted.length > 0)
      script = () => wanted.flatMap(({ name, given }, i) => calling(name, given as object, i))
      const { calls } = await turn(first)
      assert.deepEqual(
        calls.map(({ name, given }) => ({ name, given })),
        wanted.map(({ name, given }) => ({ name, given })),
      )
      assert.ok(asked[0]?.tools?.some((tool) => tool.function.name === wanted[0]?.name))

      script = () => saying(goodbye)
      const ids = new Map(wanted.map(({ id }, i) => [id, calls[i]?.id ?? 'none']))
      assert.equal((await turn(withIds(result, ids))).text, goodbye)
      const { messages = [] } = asked[0] ?? {}
      const made = messages.flatMap(({ role, tool_calls = [] }) => (role === 'assistant' ? tool_calls : []))
      assert.deepEqual(
        made.map(({ id, function: { name, arguments: json } }) => ({ id, name, given: JSON.parse(json) as unknown })),
        wanted.map(({ name, given }, i) => ({ id: calls[i]?.id, name, given })),
      )
      const results = messages.filter(({ role }) => role === 'tool')
      assert.deepEqual(
        results.map(({ tool_call_id }) => tool_call_id),
        calls.map(({ id }) => id),
      )
      for (const { content } of results) assert.ok(JSON.stringify(content).length > 2)
    })

  it('they are those of all agents and SDKs', () => {
    const agents = ['claude-code', 'codex', 'opencode', 'opencode-anthropic', 'opencode-responses', 'pi', 'pi-anthropic', 'pi-responses']
    const others = ['ai-sdk', 'anthropic-node', 'anthropic-python', 'llm', 'openai-node', 'openai-python', 'qwen-code']
    assert.deepEqual([...new Set(conversations.map(({ result }) => result.name.replace(/\/.*/, '')))].sort(), [...agents, ...others].sort())
  })

  it("Codex's tool in a namespace is called by both names, and its result comes back to it", async () => {
    const { first, result } = conversations.find(({ first: { name } }) => name.startsWith('codex/')) ?? {}
    assert.ok(first && result)
    const namespaces = first.body?.['tools'] as readonly { type: string; name?: string; tools?: readonly { name: string }[] }[]
    const { name: namespace = '', tools: [tool] = [] } = namespaces.find(({ type }) => type === 'namespace') ?? {}
    assert.ok(tool)
    script = ({ tools = [] }) => {
      const known = tools.find(({ function: { name } }) => name !== tool.name && name.endsWith(tool.name))
      return calling(known?.function.name ?? 'none', { of: namespace })
    }
    const [call] = (await turn(first)).calls
    assert.ok(call)
    assert.deepEqual(call, { id: call.id, name: tool.name, namespace, given: { of: namespace } })

    script = () => saying(goodbye)
    const input = (result.body?.['input'] as readonly Record<string, unknown>[]).map((item) => {
      if (item['type'] === 'function_call') return { ...item, name: tool.name, namespace, arguments: '{}', call_id: call.id }
      return item['type'] === 'function_call_output' ? { ...item, call_id: call.id } : item
    })
    assert.equal((await turn({ ...result, body: { ...result.body, input } })).text, goodbye)
    const { messages = [], tools = [] } = asked[0] ?? {}
    const made = messages.flatMap(({ tool_calls = [] }) => tool_calls)[0]?.function.name
    assert.ok(made !== tool.name && tools.some(({ function: { name } }) => name === made), made)
    assert.equal(messages.find(({ role }) => role === 'tool')?.tool_call_id, call.id)
  })
})

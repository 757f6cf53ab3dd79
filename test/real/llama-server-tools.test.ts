import assert from 'node:assert/strict'
import { HttpEngine } from '../../src/adapters/engines/http/engine.ts'
import { llamaServerDialect } from '../../src/adapters/engines/llamacpp/server/dialect.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { ChatMessage } from '../../src/domain/task.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { llamaServer, talesFile, withEngine } from '../harness/real-engines.ts'

/** A template that tells of tools and of calls. */
const template =
  "{%- if tools %}TOOLS {{ tools | tojson }}{% endif %}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}" +
  '{% if message.tool_calls %}{% for call in message.tool_calls %}<call>{{ call.function.name }} {{ call.function.arguments | tojson }}</call>' +
  '{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}'

withEngine('llama-server', 'a real llama-server whose template tells of tools', () => {
  const signal = new AbortController().signal
  let server: EngineProcess
  let engine: HttpEngine
  before(async () => {
    const options = ['--model', talesFile, '--ctx-size', '256', '--chat-template', template]
    server = await EngineProcess.start((port) => llamaServer(...options, '--port', String(port)), '/health')
    engine = new HttpEngine({ dialect: llamaServerDialect('served:box'), url: server.url, replayable: false, clock: systemClock })
  })
  after(async () => {
    await engine.stop()
    await server.stop()
  })

  it('has tools, and takes a conversation whose calls were cut off or have no arguments', async () => {
    assert.ok((await engine.start(() => undefined)).features.includes('tools'))
    for (const text of ['{"at": tru', '']) {
      const call = { id: 'c', type: 'function' as const, function: { name: 'look', arguments: text } }
      const messages: ChatMessage[] = [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'dark' },
      ]
      const tokens_in = await engine.countTokens({ messages }, signal)
      const asked = { prompt: { messages }, max_tokens: 4, seed: 7, sampling: {}, chat: {}, kv: 'cold' as const, session: 's' }
      assert.equal((await engine.generate(asked, () => undefined, signal)).tokens_in, tokens_in)
    }
  })
})

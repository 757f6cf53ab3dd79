import type { Part } from '../../src/domain/stream/part.ts'
import type { Feature } from '../../src/domain/task.ts'
import type { Conversation, GenerateRequest, GenerateResult } from '../../src/ports/engine.ts'
import { ScriptedEngine } from './scripted-engine.ts'

/** What a model says to a conversation. */
export type Script = (conversation: Conversation, request: GenerateRequest) => readonly Part[]

const features: readonly Feature[] = [
  'chat_template',
  'system_messages',
  'stop_sequences',
  'tools',
  'json_object',
  'json_schema',
  'images',
  'reasoning',
]

/** Text as a model gives it: a word at a time. */
export const saying = (text: string): Part[] => (text.match(/\S+\s*/g) ?? []).map((word) => ({ kind: 'text', text: word }))

/** A call of a tool as a model gives it: its name, then its arguments in pieces. */
export function calling(name: string, given: object, index = 0): Part[] {
  const [first = '', ...rest] = JSON.stringify(given).match(/.{1,12}/gsu) ?? []
  const begin: Part = { kind: 'tool_call', index, id: `call_${name}_${index}`, name, text: first }
  return [begin, ...rest.map((text): Part => ({ kind: 'tool_call', index, text }))]
}

/** A model of a test: it answers every conversation by a script, at once. */
export class ScriptedModel extends ScriptedEngine {
  private readonly script: Script

  constructor(script: Script, slots = 4) {
    super({ ctx_max: 131_072, slots, features })
    this.script = script
  }

  override generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const result = super.generate(request, onPart, signal)
    const { call } = this
    const conversation = 'text' in request.prompt ? { messages: [{ role: 'user' as const, content: request.prompt.text }] } : request.prompt
    const parts = this.script(conversation, request)
    for (const part of parts) call.give(part)
    call.finish({ finish_reason: parts.some(({ kind }) => kind === 'tool_call') ? 'tool_calls' : 'stop', tokens_out: parts.length })
    return result
  }
}

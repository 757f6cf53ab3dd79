import type { ToolCallPart } from '../../../domain/stream/part.ts'
import type { GenerateRequest } from '../../../ports/engine.ts'
import { drawArguments, piecesOf } from './json-text.ts'
import { randomFor } from './words.ts'

/**
 * The tools an answer calls, in pieces: the first of a call has its id and name, the others its arguments; undefined where it calls none.
 * `required` always calls, `auto` half the time, as the seed and the number of messages say (a conversation with one seed does not go on
 * calling for ever); one call or two, but one where the client names the tool or wants no calls in parallel.
 * @throws EngineError where no arguments fit the tool's schema
 */
export function toolCalls({ seed, prompt, chat }: GenerateRequest): readonly ToolCallPart[] | undefined {
  const { tool_choice = 'auto', parallel_tool_calls } = chat
  if ('text' in prompt || prompt.tools === undefined || tool_choice === 'none') return undefined
  const next = randomFor(seed, `tools ${prompt.messages.length}`)
  if (next() >= 0.5 && tool_choice === 'auto') return undefined
  const name = typeof tool_choice === 'object' ? tool_choice.function.name : undefined
  const tools = prompt.tools.filter((tool) => name === undefined || tool.function.name === name)
  const count = name === undefined && parallel_tool_calls !== false && next() < 0.5 ? 2 : 1
  return Array.from({ length: count }).flatMap((_, index): ToolCallPart[] => {
    const called = tools[Math.floor(next() * tools.length)]?.function
    if (called === undefined) return []
    const id = `call_${Array.from({ length: 16 }, () => Math.floor(next() * 16).toString(16)).join('')}`
    const pieces = piecesOf(drawArguments(called, next))
    return [
      { kind: 'tool_call', index, id, name: called.name, text: '' },
      ...pieces.map((text) => ({ kind: 'tool_call' as const, index, text })),
    ]
  })
}

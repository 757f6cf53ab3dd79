import { MockEngine, type MockOptions } from '../../src/adapters/engines/mock/engine.ts'
import type { Part, ToolCallPart } from '../../src/domain/stream/part.ts'
import type { ChatMessage, Tool } from '../../src/domain/task.ts'
import type { GenerateRequest, GenerateResult, Prompt } from '../../src/ports/engine.ts'
import { FakeClock } from '../harness/fake-clock.ts'

export const never = new AbortController().signal

/** An engine that answers at once, with 32 tokens of text. */
export const mockOf = (options: Partial<MockOptions> = {}): MockEngine =>
  new MockEngine({
    ...{
      ctx: 8192,
      slots: 4,
      prefill_ms: 0,
      token_ms: 0,
      tokens: 32,
      load_ms: 0,
      replayable: true,
      continues: true,
      clock: new FakeClock(),
    },
    ...options,
  })

/** Fields of a request; the prompt is the text `p` unless given. */
export type Fields = Partial<GenerateRequest>

export const requestOf = (fields: Fields = {}): GenerateRequest => ({
  ...{ prompt: { text: 'p' }, max_tokens: 100_000, seed: 7, sampling: {}, chat: {}, kv: 'cold', session: 's' },
  ...fields,
})

export interface Answer extends GenerateResult {
  readonly parts: readonly Part[]
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly { readonly id: string | undefined; readonly name: string | undefined; readonly arguments: string }[]
}

const textOf = (parts: readonly Part[], kind: Part['kind']): string =>
  parts.flatMap((part) => (part.kind === kind ? [part.text] : [])).join('')

function callsOf(parts: readonly Part[]): Answer['calls'] {
  const pieces = parts.filter((part): part is ToolCallPart => part.kind === 'tool_call')
  return pieces
    .filter(({ name }) => name !== undefined)
    .map(({ id, name, index }) => ({
      id,
      name,
      arguments: textOf(
        pieces.filter((piece) => piece.index === index),
        'tool_call',
      ),
    }))
}

/** What the engine gives for a request. */
export async function answerOf(fields: Fields = {}, engine = mockOf()): Promise<Answer> {
  const parts: Part[] = []
  const result = await engine.generate(requestOf(fields), (part) => parts.push(part), never)
  return { ...result, parts, text: textOf(parts, 'text'), reasoning: textOf(parts, 'reasoning'), calls: callsOf(parts) }
}

export const say: ChatMessage = { role: 'user', content: 'hello' }
export const tool = (name: string, parameters?: Record<string, unknown>): Tool => ({
  type: 'function',
  function: { name, ...(parameters === undefined ? {} : { parameters }) },
})
export const read = tool('read', {
  type: 'object',
  properties: { path: { type: 'string' }, lines: { type: 'integer' } },
  required: ['path', 'lines'],
})
export const tools = [read, tool('list')]
export const withTools: Prompt = { messages: [say], tools }

const most = 0xffffffff

/** What the engine gives for each of many seeds. */
export const answers = async (count: number, fieldsOf: (seed: number) => Fields): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, seed) => answerOf({ seed: (seed * 7919) % most, ...fieldsOf(seed) })))

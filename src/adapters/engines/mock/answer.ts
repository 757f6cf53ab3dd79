import { textOf } from '../../../domain/chat.ts'
import { withText, type Part, type ReasoningPart, type TextPart } from '../../../domain/stream/part.ts'
import type { FinishReason } from '../../../domain/task.ts'
import type { GenerateRequest, Prompt } from '../../../ports/engine.ts'
import { formatted, piecesOf } from './json-text.ts'
import { withLogprobs } from './logprobs.ts'
import { toolCalls } from './tool-calls.ts'
import { random, randomFor, wordsFor } from './words.ts'

/** Tokens of reasoning. */
const thinking = { none: 0, minimal: 4, low: 8, medium: 16, high: 32 } as const

type Text = () => Generator<TextPart>

/**
 * The answer that the seed gives, a part for each token, and why it ends. Reasoning comes first, then either tool calls or text. The text is the same whatever comes before it and
 * whatever is told beside it; as JSON it is as long as it has to be.
 * @param tokens of the text, where it is not JSON
 * @throws EngineError where nothing fits a schema
 */
export function* answerTo(request: GenerateRequest, tokens: number): Generator<Part, FinishReason, undefined> {
  const { seed, chat, sampling, continue_from = '' } = request
  // What cannot be answered is refused before the first part.
  const calls = toolCalls(request)
  const json = calls === undefined ? formatted(chat.response_format, randomFor(seed, 'json')) : undefined
  // Who goes on in the text has thought already.
  if (continue_from === '') yield* reasoning(request)
  if (calls !== undefined) {
    yield* calls
    return 'tool_calls'
  }
  let text: Text = json === undefined ? () => words(seed, tokens, sampling) : () => jsonText(json)
  if (chat.logprobs === true) text = liked(text, seed, chat.top_logprobs ?? 0)
  yield* after(after(text, prefillOf(request.prompt)), continue_from)()
  return 'stop'
}

function* words(seed: number, tokens: number, sampling: GenerateRequest['sampling']): Generator<TextPart> {
  const draw = wordsFor(random(seed), sampling)
  for (let made = 0; made < tokens; made++) yield { kind: 'text', text: draw(made === 0) }
}

function* jsonText(json: string): Generator<TextPart> {
  for (const text of piecesOf(json)) yield { kind: 'text', text }
}

function* reasoning({ seed, chat, sampling }: GenerateRequest): Generator<ReasoningPart> {
  const draw = wordsFor(randomFor(seed, 'reasoning'), sampling)
  const tokens = thinking[chat.reasoning_effort ?? 'none']
  for (let made = 0; made < tokens; made++) yield { kind: 'reasoning', text: draw(made === 0) }
}

const liked = (text: Text, seed: number, top: number): Text =>
  function* () {
    const next = randomFor(seed, 'logprobs')
    for (const part of text()) yield withLogprobs(part, top, next)
  }

/** What a last message of the assistant has said already. */
function prefillOf(prompt: Prompt): string {
  const last = 'text' in prompt ? undefined : prompt.messages.at(-1)
  return last?.role === 'assistant' && last.tool_calls === undefined ? textOf(last.content) : ''
}

/** What comes after the given text: the rest of it, or all of it after a space where the given text is not its own. */
const after = (text: Text, given: string): Text =>
  given === ''
    ? text
    : function* () {
        let left = given
        for (const part of text()) {
          const common = Math.min(left.length, part.text.length)
          if (left.slice(0, common) !== part.text.slice(0, common)) break
          left = left.slice(common)
          if (common === 0) yield part
          else if (common < part.text.length) yield withText(part, part.text.slice(common)) as TextPart
        }
        if (left !== '') yield* strangers(text)
      }

function* strangers(text: Text): Generator<TextPart> {
  let first = true
  for (const part of text()) {
    yield first ? { ...part, text: ` ${part.text}` } : part
    first = false
  }
}

import { randomInt } from 'node:crypto'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { textOf } from '../../../domain/chat.ts'
import type { ChatMessage, Feature } from '../../../domain/task.ts'
import { EngineError, type Prompt } from '../../../ports/engine.ts'
import { type ChatTemplate, compileChatTemplate, type TemplateMessage } from './chat-template.ts'

interface SpecialToken {
  readonly token: Token
  /** The tokenizer eats white space before it. */
  readonly lstrip: boolean
  /** The tokenizer eats white space after it. */
  readonly rstrip: boolean
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Turns prompts into tokens. What a client writes is always text: only the template can produce special tokens. */
export class PromptEncoder {
  private readonly model: LlamaModel
  private readonly template: ChatTemplate | undefined
  /** A last message of the assistant can be continued. */
  private readonly prefills: boolean
  private readonly specials = new Map<string, SpecialToken>()
  /** Matches the text of any special token, the longest first. */
  private readonly specialText: RegExp

  /** @param warn gets a line when the model has a chat template that cannot be used */
  constructor(model: LlamaModel, warn: (line: string) => void) {
    this.model = model
    const { tokenizer } = model.fileInfo.metadata
    for (const [index, text] of tokenizer.ggml.tokens.entries()) {
      const token = index as Token
      const attributes = model.getTokenAttributes(token)
      // llama.cpp parses the user-defined kind in plain text too: these are words of the vocabulary, not controls.
      if (text.length === 0 || !(attributes.control || attributes.unknown)) continue
      this.specials.set(text, { token, lstrip: attributes.lstrip, rstrip: attributes.rstrip })
    }
    const texts = [...this.specials.keys()].sort((a, b) => b.length - a.length)
    // (?!) matches nothing.
    this.specialText = new RegExp(texts.length === 0 ? '(?!)' : texts.map(escapeRegExp).join('|'), 'g')
    this.template = this.compile(tokenizer.chat_template, warn)
    this.prefills = this.template !== undefined && goesOn(this.template)
  }

  /** What the model's chat template can. */
  get features(): readonly Feature[] {
    if (this.template === undefined) return []
    return this.prefills ? ['chat_template', 'prefill'] : ['chat_template']
  }

  /** Tokens that are no text. */
  get controls(): Token[] {
    return Array.from(this.specials.values(), ({ token }) => token)
  }

  /**
   * @param given text of the answer that is there already
   * @throws {EngineError} no chat template, one that refuses these messages, or nothing to evaluate
   */
  encode(prompt: Prompt, given = ''): Token[] {
    const tokens = 'text' in prompt ? this.model.tokenize(prompt.text + given) : this.encodeMessages(prompt.messages, given)
    const { bos, shouldPrependBosToken } = this.model.tokens
    // Templates write the BOS token themselves or leave it to the tokenizer: either way there is one.
    if (shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos)
    if (tokens.length === 0) throw new EngineError('the prompt is empty', { retriable: false })
    return tokens
  }

  private encodeMessages(messages: readonly ChatMessage[], given: string): Token[] {
    if (this.template === undefined) throw new EngineError('the model has no chat template: send a prompt', { retriable: false })
    // Special texts in what was said are swapped for marks, so that the template still sees and shapes the real content.
    const said: string[] = []
    const nonce = Array.from({ length: 4 }, () => randomInt(1e9, 1e10)).join('')
    const guard = (text: string): string =>
      text.replace(this.specialText, (special) => `\u{e000}${nonce}.${String(said.push(special) - 1)}\u{e001}`)
    const last = messages.at(-1)
    const prefill = this.prefills && last?.role === 'assistant' && last.tool_calls === undefined ? textOf(last.content) : undefined
    const guarded = (prefill === undefined ? messages : messages.slice(0, -1)).map(({ role, content, name }) => ({
      // Templates know no developer; what one says has the system's place.
      role: role === 'developer' ? 'system' : role,
      content: guard(textOf(content)),
      ...(name === undefined ? {} : { name }),
    }))
    const rendered = this.render(this.template, guarded) + guard((prefill ?? '') + given)
    if (said.length === 0) return this.model.tokenize(rendered, true)
    return this.tokenizeGuarded(rendered, new RegExp(`\u{e000}${nonce}\\.(\\d+)\u{e001}`, 'g'), said)
  }

  /** Does what llama.cpp's tokenizer does, special tokens cut out and the runs between them tokenized, but takes marks for text. */
  private tokenizeGuarded(rendered: string, mark: RegExp, said: readonly string[]): Token[] {
    const tokens: Token[] = []
    const addText = (run: string): void => {
      const text = run.replace(mark, (_, index: string) => said[Number(index)] ?? '')
      if (text.length > 0) tokens.push(...this.model.tokenize(text))
    }
    let from = 0
    let strip = false
    const runTo = (to: number): string => (strip ? rendered.slice(from, to).trimStart() : rendered.slice(from, to))
    for (const match of rendered.matchAll(this.specialText)) {
      const special = this.specials.get(match[0])
      if (special === undefined) continue
      const run = runTo(match.index)
      addText(special.lstrip ? run.trimEnd() : run)
      tokens.push(special.token)
      from = match.index + match[0].length
      strip = special.rstrip
    }
    addText(runTo(rendered.length))
    return tokens
  }

  private render(template: ChatTemplate, messages: readonly TemplateMessage[]): string {
    try {
      return template(messages)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new EngineError(`the model's chat template refuses these messages: ${why.slice(0, 200)}`, { retriable: false, cause })
    }
  }

  private compile(source: string | undefined, warn: (line: string) => void): ChatTemplate | undefined {
    if (source === undefined) return undefined
    try {
      const { bosString, eosString } = this.model.tokens
      return compileChatTemplate(source, { bos: bosString ?? '', eos: eosString ?? '' })
    } catch (error) {
      warn(`the model's chat template does not compile, so it takes plain prompts only: ${String(error)}`)
      return undefined
    }
  }
}

/** Whether the template puts the assistant's words right behind what begins its turn, so that they can be left open. */
function goesOn(template: ChatTemplate): boolean {
  const user = { role: 'user', content: 'a' }
  try {
    return template([user, { role: 'assistant', content: 'b c' }]).startsWith(`${template([user])}b c`)
  } catch {
    return false
  }
}

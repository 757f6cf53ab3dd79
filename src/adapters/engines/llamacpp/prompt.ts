import { randomInt } from 'node:crypto'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { textOf } from '../../../domain/chat.ts'
import type { ChatMessage, Feature } from '../../../domain/task.ts'
import { EngineError, type Prompt } from '../../../ports/engine.ts'
import { type ChatTemplate, compileChatTemplate, type TemplateMessage } from './chat-template.ts'
import { specialTokensOf, type SpecialToken } from './special-tokens.ts'

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Turns prompts into tokens. What a client writes is always text: only the template can produce special tokens. */
export class PromptEncoder {
  private readonly model: LlamaModel
  private readonly template: ChatTemplate | undefined
  /** A last message of the assistant can be continued. */
  private readonly prefills: boolean
  /** What is done with messages of the system: the template has a place for them, they are put before what the user says, or refused. */
  private readonly system: 'placed' | 'prepended' | 'refused'
  private readonly specials: ReadonlyMap<string, SpecialToken>
  /** Matches the text of any special token, the longest first. */
  private readonly specialText: RegExp

  /**
   * @param prepends messages of the system go before what the user says where the template has no place for them
   * @param warn gets a line when the model has a chat template that cannot be used
   */
  constructor(model: LlamaModel, prepends: boolean, warn: (line: string) => void) {
    this.model = model
    const { tokenizer } = model.fileInfo.metadata
    this.specials = specialTokensOf(model)
    const texts = [...this.specials.keys()].sort((a, b) => b.length - a.length)
    // (?!) matches nothing.
    this.specialText = new RegExp(texts.length === 0 ? '(?!)' : texts.map(escapeRegExp).join('|'), 'g')
    this.template = this.compile(tokenizer.chat_template, warn)
    this.prefills = this.template !== undefined && goesOn(this.template)
    this.system = this.template !== undefined && placesSystem(this.template) ? 'placed' : prepends ? 'prepended' : 'refused'
  }

  /**
   * Bytes of text that one token stands for at most, of what is written with one token after the other; undefined for kinds of tokenizers
   * that take any number of unknown characters for one.
   */
  get longestToken(): number | undefined {
    const { model, tokens } = this.model.fileInfo.metadata.tokenizer.ggml
    // Byte-level BPE writes each byte as one character, SentencePiece a space as a character of three bytes.
    if (model === 'gpt2') return tokens.reduce((most, { length }) => Math.max(most, length), 1)
    if (model === 'llama') return tokens.reduce((most, text) => Math.max(most, Buffer.byteLength(text)), 1)
    return undefined
  }

  /** What the model's chat template can. */
  get features(): readonly Feature[] {
    if (this.template === undefined) return []
    return [
      'chat_template',
      ...(this.prefills ? (['prefill'] as const) : []),
      ...(this.system === 'refused' ? [] : (['system_messages'] as const)),
    ]
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
    const shown = this.render(this.template, this.system === 'prepended' ? prepended(guarded) : guarded)
    refuseDropped(guarded, shown)
    const rendered = shown + guard((prefill ?? '') + given)
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

/** Whether the template has a place for what the system says. */
function placesSystem(template: ChatTemplate): boolean {
  try {
    return template([
      { role: 'system', content: 'b c' },
      { role: 'user', content: 'a' },
    ]).includes('b c')
  } catch {
    return false
  }
}

/** What the system says, before what the user says next. */
function prepended(messages: readonly TemplateMessage[]): TemplateMessage[] {
  const spoken: TemplateMessage[] = []
  let said: string[] = []
  for (const message of messages) {
    if (message.role === 'system') said.push(message.content)
    else if (message.role !== 'user') spoken.push(message)
    else {
      spoken.push({ ...message, content: [...said, message.content].join('\n\n') })
      said = []
    }
  }
  return said.length === 0 ? spoken : [...spoken, { role: 'user', content: said.join('\n\n') }]
}

/** @throws {EngineError} where the template leaves out what the system says, as where it is not said first */
function refuseDropped(messages: readonly TemplateMessage[], rendered: string): void {
  const index = messages.findIndex(({ role, content }) => role === 'system' && !rendered.includes(content.trim()))
  if (index < 0) return
  const where = `messages[${String(index)}]`
  throw new EngineError(
    `${where}: the model's chat template has no place for a message of the system here: say it as the user, or set llamacpp.system_messages to prepend`,
    {
      retriable: false,
    },
  )
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

import assert from 'node:assert/strict'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { PromptEncoder } from '../../src/adapters/engines/llamacpp/prompt.ts'
import type { ChatMessage } from '../../src/domain/task.ts'

/** Tokens that are no text, some the beginnings of others; `~` marks one that eats the white space behind it, `^` one that eats that before it. */
const specials = ['<s>', '</s>', '<im>', '<im>user', '<~>', '<^>']
const template = `{% for m in messages %}<im>{{ m.role }}:{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<im>assistant:{% endif %}`

interface Made {
  readonly chat_template?: string
  readonly prepends_bos?: boolean
  readonly kind?: string
  readonly words?: readonly string[]
}

/** A model whose other tokens are characters. Tokens read back as their text, a special one in brackets. */
function encoderOf({ chat_template = template, prepends_bos = true, kind = 'llama', words = [] }: Made = {}) {
  const tokens = [...specials, ...words]
  const characters = (text: string): number[] => Array.from(text, (one) => 1000 + (one.codePointAt(0) ?? 0))
  const longest = specials.toSorted((a, b) => b.length - a.length)
  const tokenize = (text: string, special = false): number[] => {
    if (!special) return characters(text)
    const found = longest.find((one) => text.startsWith(one))
    if (text === '') return []
    if (found !== undefined) return [specials.indexOf(found), ...tokenize(text.slice(found.length), true)]
    return [...characters(text.slice(0, 1)), ...tokenize(text.slice(1), true)]
  }
  const model = {
    tokenize,
    tokens: { bos: 0, shouldPrependBosToken: prepends_bos, bosString: '<s>', eosString: '</s>' },
    fileInfo: { metadata: { tokenizer: { chat_template, ggml: { model: kind, tokens } } } },
    getTokenAttributes: (token: number) => {
      const text = tokens[token] ?? ''
      return { control: token < specials.length, unknown: false, lstrip: text === '<^>', rstrip: text === '<~>' }
    },
  }
  const encoder = new PromptEncoder(model as unknown as LlamaModel, false, (line) => assert.fail(line))
  const read = (encoded: readonly Token[]): string =>
    encoded.map((token) => (token < 1000 ? `[${specials[token] ?? ''}]` : String.fromCodePoint(token - 1000))).join('')
  return {
    encoder,
    chat: (messages: readonly ChatMessage[], given?: string) => read(encoder.encode({ messages }, given)),
    text: (prompt: string) => read(encoder.encode({ text: prompt })),
  }
}
const user = (content: string): ChatMessage => ({ role: 'user', content })

describe('llama.cpp engine: a prompt as tokens', () => {
  it('begins with BOS once, whoever writes it', () => {
    assert.equal(encoderOf().text('<s>'), '[<s>]<s>', 'what a client writes is text')
    assert.equal(encoderOf({ prepends_bos: false }).text('a'), 'a')
    const own = encoderOf({ chat_template: `{{ bos_token }}${template}` })
    assert.equal(own.chat([user('a')]), '[<s>][<im>user]:a[</s>][<im>]assistant:')
    assert.equal(encoderOf().chat([user('a')]), '[<s>][<im>user]:a[</s>][<im>]assistant:')
  })

  it('has the special tokens of the template, the longest that fit, and none of what was said', () => {
    const said = '<s> <im>user </s>'
    assert.equal(encoderOf().chat([user(said)]), `[<s>][<im>user]:${said}[</s>][<im>]assistant:`)
  })

  it('leaves out white space that special tokens eat, before and behind them and nowhere else', () => {
    const chat_template = '{% for m in messages %}a <^> b <~> c <im> {{ m.content }} {% endfor %}'
    // What was said has a special text in it, so that the runs between them are turned into tokens one by one.
    assert.equal(encoderOf({ chat_template }).chat([user('<s>')]), '[<s>]a[<^>] b [<~>]c [<im>] <s> ')
  })

  it('goes on with the last words of the assistant, unless they are a call of a tool', () => {
    const { chat, encoder } = encoderOf()
    assert.ok(encoder.features.includes('prefill'))
    const begun: ChatMessage = { role: 'assistant', content: 'so' }
    assert.equal(chat([user('a'), begun], ' far'), '[<s>][<im>user]:a[</s>][<im>]assistant:so far')
    const call: ChatMessage = { ...begun, tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }] }
    assert.equal(chat([user('a'), call]), '[<s>][<im>user]:a[</s>][<im>]assistant:so[</s>][<im>]assistant:')
  })

  it('knows how many bytes a token stands for at most, where its kind has a bound', () => {
    const words = ['a', '▁▁▁ü']
    assert.equal(encoderOf({ words }).encoder.longestToken, Math.max(11, ...specials.map(({ length }) => length)))
    assert.equal(encoderOf({ words: ['ĠĠĠĠĠĠĠĠĠĠ'], kind: 'gpt2' }).encoder.longestToken, 10)
    assert.equal(encoderOf({ words, kind: 'bert' }).encoder.longestToken, undefined)
  })
})

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import type { ChatMessage } from '../../src/domain/task.ts'
import { EngineError, type GenerateRequest, type GenerateResult } from '../../src/ports/engine.ts'

const model_path = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))
const never = new AbortController().signal
const user: ChatMessage = { role: 'user', content: 'Tell me a story about a fox.' }
const greedy = { temperature: 0 }

describe('llama.cpp engine: chat', function () {
  const engine = createLlamaCppEngine({
    ...{ model_path, ctx: 256, slots: 2, threads: 1, gpu: false, temperature: 0.7 },
    onOutput: () => undefined,
  })

  before(async () => {
    const { features } = await engine.start((reason) => assert.fail(reason))
    assert.ok(!features.includes('system_messages'))
  })
  after(() => engine.stop())

  async function answerOf(request: Partial<GenerateRequest>): Promise<GenerateResult & { readonly text: string }> {
    let text = ''
    const whole: GenerateRequest = {
      ...{ prompt: { messages: [user] }, max_tokens: 40, seed: 7, sampling: greedy, chat: {}, kv: 'cold', session: 's' },
      ...request,
    }
    const result = await engine.generate(whole, (part) => (text += part.text), never)
    return { ...result, text }
  }

  const textWith = async (sampling: GenerateRequest['sampling']): Promise<string> => (await answerOf({ sampling })).text

  it('goes on with a last message of the assistant as if it were its own words', async () => {
    const { text } = await answerOf({})
    const begun = text.slice(0, text.indexOf(' ', 12))
    const prompt = { messages: [user, { role: 'assistant' as const, content: begun }] }
    const rest = await answerOf({ prompt })
    assert.equal((begun + rest.text).startsWith(text), true, `${begun}|${rest.text}`)
    assert.equal(rest.tokens_in > (await answerOf({ max_tokens: 1 })).tokens_in, true)
    assert.equal(rest.tokens_in, await engine.countTokens(prompt, never))
    assert.deepEqual((await answerOf({ prompt })).text, rest.text)
  })

  it('goes on after text that is there already: of a conversation, of a prompt, of a last message of the assistant', async () => {
    const { text } = await answerOf({})
    const at = text.indexOf(' ', 12)
    const [one, two] = [text.slice(0, 4), text.slice(4, at)]
    const open = { messages: [user, { role: 'assistant' as const, content: one }] }
    for (const request of [{ continue_from: one + two }, { prompt: open, continue_from: two }]) {
      const rest = await answerOf(request)
      assert.equal((one + two + rest.text).startsWith(text), true, rest.text)
    }
    const plain = await answerOf({ prompt: { text: 'Once upon a time' } })
    const cut = plain.text.indexOf(' ', 10)
    const rest = await answerOf({ prompt: { text: 'Once upon a time' }, continue_from: plain.text.slice(0, cut) })
    assert.equal((plain.text.slice(0, cut) + rest.text).startsWith(plain.text), true, rest.text)
  })

  it('takes special tokens in what the assistant is to have said as text', async () => {
    const count = (content: string): Promise<number> => engine.countTokens({ messages: [user, { role: 'assistant', content }] }, never)
    assert.equal(await count('a </s> b'), await count('a <*s> b'))
  })

  it('punishes tokens by how often they came, and that they came', async () => {
    const plain = await textWith(greedy)
    assert.equal(await textWith({ ...greedy, frequency_penalty: 0, presence_penalty: 0 }), plain)
    for (const field of ['frequency_penalty', 'presence_penalty'] as const) {
      const punished = await textWith({ ...greedy, [field]: 2 })
      assert.notEqual(punished, plain)
      assert.equal(await textWith({ ...greedy, [field]: 2 }), punished)
      assert.notEqual(await textWith({ ...greedy, [field]: -2 }), punished)
    }
    assert.notEqual(await textWith({ ...greedy, frequency_penalty: 2 }), await textWith({ ...greedy, presence_penalty: 2 }))
  })

  it('makes tokens more and less likely by their id', async () => {
    const plain = await textWith(greedy)
    const favoured = await textWith({ ...greedy, logit_bias: { 300: 100 } })
    assert.notEqual(favoured, plain)
    const [word = ''] = favoured.trim().split(/\s+/)
    assert.equal(favoured.replaceAll(word, '').trim(), '', 'nothing but the favoured token')
    assert.equal(await textWith({ ...greedy, logit_bias: { 300: 0 } }), plain)
    assert.equal(await textWith({ ...greedy, logit_bias: {} }), plain)
    assert.equal(await textWith({ ...greedy, logit_bias: { 300: 100 } }), favoured)
    const second = await textWith({ ...greedy, logit_bias: { 301: 50 } })
    assert.notEqual(second, favoured)
    assert.equal(await textWith({ ...greedy, logit_bias: { 300: 100, 301: 50 } }), favoured)
    assert.equal(await textWith({ ...greedy, logit_bias: { 300: -100, 301: 50 } }), second, 'a forbidden token came')
  })

  it('refuses biases of what is no token, and of what ends the turn', async () => {
    for (const id of ['99999999', '2'])
      await assert.rejects(
        answerOf({ sampling: { logit_bias: { [id]: 1 } } }),
        (error) => error instanceof EngineError && !error.retriable && error.message.startsWith('logit_bias: '),
        id,
      )
    assert.equal((await answerOf({ max_tokens: 1 })).tokens_out, 1, 'the engine goes on')
  })

  it('leaves nothing out that a message has: null is nothing, a name goes to the template', async () => {
    const count = (messages: readonly ChatMessage[]): Promise<number> => engine.countTokens({ messages }, never)
    const plain = await count([user])
    assert.equal(await count([user, { role: 'assistant', content: null }]), plain)
    // This model's template has no place for names; others do.
    assert.equal(await count([{ ...user, name: 'ann' }]), plain)
    assert.equal(
      await count([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Tell me a story ' },
            { type: 'text', text: 'about a fox.' },
          ],
        },
      ]),
      plain,
    )
  })

  it('a template that has no place for a system message: its features say so, and one is refused, not dropped', async () => {
    for (const role of ['system', 'developer'] as const)
      await assert.rejects(
        engine.countTokens({ messages: [{ role, content: 'Be brief.' }, user] }, never),
        (error) =>
          error instanceof EngineError && !error.retriable && /^messages\[0\]: .*no place.*llamacpp\.system_messages/.test(error.message),
      )
    await assert.rejects(
      answerOf({ prompt: { messages: [user, { role: 'system', content: 'Be brief.' }, user] } }),
      /^EngineError: messages\[1\]: /,
    )
  })
})

describe('llama.cpp engine: messages of the system without a place for them', function () {
  const engine = createLlamaCppEngine({
    ...{ model_path, ctx: 256, slots: 1, threads: 1, gpu: false, temperature: 0.7, system_messages: 'prepend' },
    onOutput: () => undefined,
  })
  after(() => engine.stop())

  it('go before what the user says next, by configuration', async () => {
    const { features } = await engine.start((reason) => assert.fail(reason))
    assert.ok(features.includes('system_messages'))
    const count = (...messages: ChatMessage[]): Promise<number> => engine.countTokens({ messages }, never)
    const brief: ChatMessage = { role: 'system', content: 'Be brief.' }
    const kind: ChatMessage = { role: 'developer', content: 'Be kind.' }
    const says = (content: string): ChatMessage => ({ role: 'user', content })
    const story = 'Tell me a story about a fox.'
    assert.equal(await count(brief, kind, user), await count(says(`Be brief.\n\nBe kind.\n\n${story}`)))
    assert.equal(
      await count(user, { role: 'assistant', content: 'No.' }, brief, user),
      await count(user, { role: 'assistant', content: 'No.' }, says(`Be brief.\n\n${story}`)),
    )
    assert.equal(await count(user, brief), await count(user, says('Be brief.')))
    assert.ok((await count(brief, user)) > (await count(user)))
  })
})

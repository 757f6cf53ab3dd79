import assert from 'node:assert/strict'
import type { TextPart } from '../../src/domain/stream/part.ts'
import type { ChatOptions } from '../../src/ports/engine.ts'
import { answerOf, answers, type Answer, type Fields } from './mock.kit.ts'

describe('mock engine: sampling and logprobs', () => {
  const wordsOf = (answer: Answer): string[] => answer.text.split(' ')

  it('keeps to logit_bias: forbidden words never come, favoured ones always', async () => {
    for (const answer of await answers(30, () => ({ sampling: { logit_bias: { 1: -100, 3: -100 } } })))
      assert.equal(
        wordsOf(answer).some((word) => word === 'river' || word === 'its'),
        false,
      )
    const [one] = await answers(1, () => ({ sampling: { logit_bias: { 1: 100 } } }))
    assert.deepEqual(new Set(one === undefined ? [] : wordsOf(one)), new Set(['river']))
  })

  it('repeats itself less with penalties, and more with negative ones', async () => {
    const different = async (sampling: Fields['sampling'] = {}): Promise<number> =>
      (await answers(30, () => ({ sampling }))).reduce((sum, answer) => sum + new Set(wordsOf(answer)).size, 0)
    const plain = await different()
    for (const field of ['frequency_penalty', 'presence_penalty'] as const) {
      assert.equal((await different({ [field]: 2 })) > plain, true)
      assert.equal((await different({ [field]: -2 })) < plain, true)
      assert.equal(await different({ [field]: 0 }), plain)
    }
  })

  it('tells of each token how likely it was, and what else was likely', async () => {
    for (const top_logprobs of [undefined, 1, 5, 20]) {
      const chat: ChatOptions = { logprobs: true, ...(top_logprobs === undefined ? {} : { top_logprobs }) }
      const { parts } = await answerOf({ chat })
      for (const { text, logprobs } of parts as readonly TextPart[]) {
        const [only, ...others] = logprobs ?? []
        assert.deepEqual([only?.token, others.length, Buffer.from(only?.bytes ?? []).toString()], [text, 0, text])
        const list = only?.top_logprobs ?? []
        assert.equal(list.length, top_logprobs ?? 0)
        assert.deepEqual(
          list.map(({ logprob }) => logprob),
          list.map(({ logprob }) => logprob).sort((a, b) => b - a),
        )
        assert.equal(list.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) <= 1.001, true)
        assert.equal(new Set(list.map(({ token }) => token)).size, list.length)
        const own = list.find(({ token }) => token === text)
        if (own !== undefined) assert.equal(own.logprob, only?.logprob)
      }
    }
    assert.equal((await answerOf({ chat: { logprobs: true } })).text, (await answerOf()).text)
  })

  it('tells it of every token of text that was held back for a stop sequence', async () => {
    const { parts } = await answerOf({ chat: { logprobs: true }, sampling: { stop: ['river again past by'] }, max_tokens: 6 })
    assert.equal(parts.length < 6, true, 'nothing was held back')
    let [text, told] = ['', '']
    for (const { text: piece, logprobs = [] } of parts as readonly TextPart[]) {
      text += piece
      told += logprobs.map(({ token }) => token).join('')
      assert.equal(told.startsWith(text), true, `${told} is told with ${text}`)
    }
    assert.deepEqual([text, told], ['the river again past at the', text])
  })
})

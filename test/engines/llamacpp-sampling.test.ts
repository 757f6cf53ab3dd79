import assert from 'node:assert/strict'
import type { LlamaModel, Token, TokenBias } from 'node-llama-cpp'
import { biasOf, evaluateOptions } from '../../src/adapters/engines/llamacpp/sampling.ts'
import type { Sampling } from '../../src/ports/engine.ts'

/** A model of five tokens, the last of which ends the turn, and the second of which is no text. */
function biases(sampling: Sampling, held: boolean): unknown {
  const set: unknown[] = []
  const model = {
    fileInfo: { metadata: { tokenizer: { ggml: { tokens: ['a', '<s>', 'b', 'c', '</s>'] } } } },
    isEogToken: (id: number) => id === 4,
  }
  const bias = { set: (tokens: unknown, to: unknown) => set.push([tokens, to]) }
  const loaded = { model: model as unknown as LlamaModel, newBias: () => bias as unknown as TokenBias, controls: [1 as Token] }
  return biasOf(sampling, loaded, held) === undefined ? undefined : set
}

describe('llama.cpp engine: sampling', () => {
  it('biases tokens that there are and that are text, and rules out the others where a grammar holds the answer', () => {
    assert.equal(biases({}, false), undefined)
    assert.deepEqual(biases({ logit_bias: { 0: 1, 3: -2 } }, false), [
      [0, { logit: 1 }],
      [3, { logit: -2 }],
    ])
    assert.deepEqual(biases({ logit_bias: { 2: 1 } }, true), [
      [2, { logit: 1 }],
      [[1], 'never'],
    ])
    assert.deepEqual(biases({}, true), [[[1], 'never']])
    for (const id of ['5', '-1', '1.5', 'x']) assert.throws(() => biases({ logit_bias: { [id]: 1 } }, false), /its ids go from 0 to 4/, id)
    assert.throws(() => biases({ logit_bias: { 4: 1 } }, false), /ends the turn/)
  })

  it('turns off what is not asked for, and never draws a seed', () => {
    const off = { temperature: 0, topK: 0, topP: 1, minP: 0 }
    assert.deepEqual(evaluateOptions({}, 7, [], undefined), { ...off, seed: 7 })
    const given = { temperature: 0.5, top_k: 1, top_p: 0.2, min_p: 0.1, repeat_penalty: 1, frequency_penalty: 0, presence_penalty: 0 }
    const asked = { temperature: 0.5, topK: 1, topP: 0.2, minP: 0.1 }
    assert.deepEqual(evaluateOptions(given, 2 ** 32 - 1, [], undefined), { ...asked, seed: 2 ** 32 - 2 })
    assert.equal(evaluateOptions({}, 2 ** 32 - 2, [], undefined).seed, 2 ** 32 - 2)
  })

  it('punishes the last 64 tokens, as they are at each token', () => {
    const history = Array.from({ length: 70 }, (_, i) => i as Token)
    for (const one of [{ repeat_penalty: 1.1 }, { frequency_penalty: 0.1 }, { presence_penalty: -0.1 }]) {
      const { repeatPenalty } = evaluateOptions(one, 1, history, undefined)
      const punishTokens = repeatPenalty?.punishTokens
      assert.ok(typeof punishTokens === 'function')
      assert.deepEqual(punishTokens(), history.slice(6))
    }
    const punishTokens = evaluateOptions({ repeat_penalty: 2 }, 1, history, undefined).repeatPenalty?.punishTokens
    history.push(70 as Token)
    assert.ok(typeof punishTokens === 'function')
    assert.deepEqual(punishTokens(), history.slice(7))
  })
})

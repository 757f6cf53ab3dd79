import assert from 'node:assert/strict'
import { embeddingTask } from '../../../src/doors/openai/vectors.ts'

describe('what is to be embedded', () => {
  const inputsOf = (input: Parameters<typeof embeddingTask>[0]['input']) => embeddingTask({ model: 'm', input }).inputs

  it('is one text, texts, token ids, or lists of token ids', () => {
    assert.deepEqual(inputsOf('a'), ['a'])
    assert.deepEqual(inputsOf(['a', 'b']), ['a', 'b'])
    assert.deepEqual(inputsOf([1, 2]), [[1, 2]])
    assert.deepEqual(inputsOf([[1, 2], [3]]), [[1, 2], [3]])
  })

  it('is of one kind, not empty, and not more than 2048', () => {
    assert.equal(inputsOf(Array.from({ length: 2048 }, () => 'a'))?.length, 2048)
    assert.throws(() => inputsOf(Array.from({ length: 2049 }, () => 'a')), /^DomainError: body\.input: must be at most 2048/)
    assert.throws(() => inputsOf(['a', '']), /not empty/)
    for (const mixed of [
      ['a', 1],
      ['a', [1]],
      [1, [1]],
    ] as never[])
      assert.throws(() => inputsOf(mixed), /not several of these/)
  })
})

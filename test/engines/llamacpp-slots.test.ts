import assert from 'node:assert/strict'
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import { generate } from '../../src/adapters/engines/llamacpp/generation.ts'
import type { LoadedModel } from '../../src/adapters/engines/llamacpp/loading.ts'
import type { TokenRequest } from '../../src/adapters/engines/llamacpp/protocol.ts'
import { Slots, type Slot } from '../../src/adapters/engines/llamacpp/slots.ts'
import { inStep } from '../../src/adapters/engines/llamacpp/steps.ts'
import type { GenerateResult } from '../../src/ports/engine.ts'
import { settled } from '../harness/fake-clock.ts'
import { inTime } from '../harness/wait.ts'

const never = new AbortController().signal

/** A sequence that keeps its tokens as llama.cpp's do, says `x` until it is stopped, and fails when it is told to. */
class Sequence {
  readonly kept: number[] = []
  fails = false
  /** Evaluations that have begun and not ended. */
  open = 0

  get nextTokenIndex(): number {
    return this.kept.length
  }

  adaptStateToTokens(tokens: readonly number[]): Promise<void> {
    const differs = this.kept.findIndex((token, i) => tokens[i] !== token)
    if (differs >= 0) this.kept.length = differs
    return Promise.resolve()
  }

  clearHistory(): Promise<void> {
    this.kept.length = 0
    return Promise.resolve()
  }

  /** Called when a part of a prompt has been taken in. */
  onPrefill: () => void = () => undefined

  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void> {
    this.kept.push(...tokens)
    this.onPrefill()
    return Promise.resolve()
  }

  async *evaluate(tokens: readonly number[]): AsyncGenerator<number> {
    assert.ok(tokens.length > 0, 'the next token is drawn from the last one')
    // What the failing evaluation has written is anybody's guess.
    this.kept.push(...tokens)
    if (this.fails) throw new Error('the evaluation failed')
    this.open++
    try {
      for (;;) {
        yield 120
        await Promise.resolve()
        this.kept.push(120)
      }
    } finally {
      this.open--
    }
  }
}

const slotsOf = (...sequences: Sequence[]): Slots => new Slots(sequences as unknown as LlamaContextSequence[])

/** A model of these slots whose tokens are characters. */
const modelOf = (slots: Slots): LoadedModel =>
  ({
    model: { detokenize: (tokens: readonly Token[]) => String.fromCharCode(...tokens), isSpecialToken: () => false },
    slots,
    step: inStep(),
    chunk: 64,
    props: { ctx_max: 256 },
    newBias: () => undefined,
    controls: [],
  }) as unknown as LoadedModel

describe('llama.cpp engine: its slots', () => {
  const names = (slots: readonly (Slot | undefined)[], sequences: readonly Sequence[]): number[] =>
    slots.map((slot) => sequences.indexOf(slot?.sequence as unknown as Sequence))

  it('one that is aborted while it waits does not take the slot of one that lives', async () => {
    const slots = slotsOf(new Sequence())
    const slot = await slots.acquire('a', never)
    const abort = new AbortController()
    const reason = new Error('enough')
    const gone = slots.acquire('b', abort.signal)
    const living = slots.acquire('c', never)
    abort.abort(reason)
    await assert.rejects(gone, (error: unknown) => error === reason)
    slots.release(slot)
    assert.equal(await inTime(living, 'the slot for the one that lives', 10_000), slot)
    slots.release(slot)
    // And it is given again, in order of asking.
    const order: string[] = []
    const held = await slots.acquire('d', never)
    const [first, second] = ['e', 'f'].map(async (session) => {
      const given = await slots.acquire(session, never)
      order.push(session)
      slots.release(given)
    })
    await settled()
    assert.deepEqual(order, [])
    slots.release(held)
    await inTime(Promise.all([first, second]), 'both that wait', 10_000)
    assert.deepEqual(order, ['e', 'f'])
  })

  it('a session gets its own, another the one unused for longest', async () => {
    const sequences = [new Sequence(), new Sequence(), new Sequence()]
    const slots = slotsOf(...sequences)
    const taken = [await slots.acquire('a', never), await slots.acquire('b', never), await slots.acquire('c', never)]
    for (const [i, session] of ['a', 'b', 'c'].entries()) taken[i]!.session = session
    // Given back in another order than taken.
    for (const slot of [taken[2], taken[0], taken[1]]) slots.release(slot!)
    const own = await slots.acquire('b', never)
    const oldest = await slots.acquire('new', never)
    assert.deepEqual(names([own, oldest], sequences), names([taken[1], taken[0]], sequences))
  })
})

describe('llama.cpp engine: the KV cache of a session', () => {
  const prompt = [...Buffer.from('a long prompt')]
  const request: TokenRequest = {
    tokens: prompt,
    max_tokens: 3,
    seed: 1,
    sampling: {},
    chat: {},
    kv: 'reuse',
    session: 's',
  } as unknown as TokenRequest
  const run = (model: LoadedModel, more: Partial<TokenRequest> = {}): Promise<GenerateResult> =>
    generate(model, { ...request, ...more }, () => undefined, never)

  it('is as large as prompt and answer together, and a prompt that leaves no room is refused', async () => {
    const sequence = new Sequence()
    const model = modelOf(slotsOf(sequence))
    const tokens = new Array<number>(255).fill(97)
    assert.equal((await run(model, { tokens })).tokens_out, 1)
    await assert.rejects(run(model, { tokens: [...tokens, 97] }), { message: /256 tokens, which leaves no room/, retriable: false })
    assert.equal((await run(model, { tokens: [...tokens, 97].slice(2) })).tokens_out, 2)
    for (const length of [1, 63, 64, 65, 128, 129]) {
      assert.equal((await run(model, { tokens: tokens.slice(0, length), kv: 'cold' })).tokens_in, length)
      assert.equal(sequence.nextTokenIndex, length + 2, 'the last of the answer is not taken in')
    }
    assert.equal(sequence.open, 0, 'nothing is evaluated any more')
  })

  it('takes in no more of a prompt that nobody waits for any more', async () => {
    const sequence = new Sequence()
    const abort = new AbortController()
    sequence.onPrefill = () => abort.abort(new Error('gone'))
    const long = { ...request, tokens: new Array<number>(255).fill(97) }
    await assert.rejects(
      generate(modelOf(slotsOf(sequence)), long, () => undefined, abort.signal),
      /gone/,
    )
    assert.equal(sequence.nextTokenIndex, 64)
  })

  it('is warm for its next turn, and worth nothing after an evaluation that failed', async () => {
    const sequence = new Sequence()
    const model = modelOf(slotsOf(sequence))
    assert.equal((await run(model)).kv_warm, false)
    assert.equal((await run(model)).kv_warm, true)
    sequence.fails = true
    await assert.rejects(run(model), /the evaluation failed/)
    assert.equal(sequence.nextTokenIndex, 0)
    sequence.fails = false
    assert.equal((await run(model)).kv_warm, false, 'nothing of the failed one is built upon')
    assert.equal((await run(model)).kv_warm, true)
  })
})

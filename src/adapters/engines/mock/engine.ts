import { extendMark } from '../../../domain/stream/mark.ts'
import { estimateInput, estimateTokens } from '../../../domain/task-rules.ts'
import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Part } from '../../../domain/stream/part.ts'
import { StoppedParts } from '../../../domain/stream/stopped-parts.ts'
import type { EmbeddingInput, Feature } from '../../../domain/task.ts'
import type { Clock } from '../../../ports/clock.ts'
import {
  EngineError,
  type Engine,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Prompt,
} from '../../../ports/engine.ts'
import { pause } from './pause.ts'
import { answerTo } from './answer.ts'
import { random } from './words.ts'

/** A fault the mock commits on purpose; see `MockFault` in the configuration. */
export interface MockFault {
  readonly kind: 'fail' | 'hang' | 'die' | 'deaf'
  /** Tokens before the fault. */
  readonly after_tokens: number
  /** Every how many tasks. */
  readonly every: number
}

export interface MockOptions {
  readonly ctx: number
  readonly slots: number
  readonly prefill_ms: number
  readonly token_ms: number
  /** Tokens of an answer. */
  readonly tokens: number
  readonly load_ms: number
  /** What it says of itself; the text is the same again either way. */
  readonly replayable: boolean
  /** Whether it says that it can go on from given text; it can either way. */
  readonly continues: boolean
  readonly fault?: MockFault | undefined
  readonly clock: Clock
}

const dimensions = 16
/** Tokens of the prompt of the probe that it tells of. */
const probe_tokens = 16

/** All of them: what a client can ask of an engine can be tried here. */
export const mockFeatures: readonly Feature[] = [
  ...(['chat_template', 'system_messages', 'stop_sequences', 'tools', 'json_object', 'json_schema', 'images', 'audio'] as const),
  ...(['logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues', 'token_inputs'] as const),
]

/** An engine without a model: the seed alone decides the tokens, the options how long they take and what goes wrong. */
export class MockEngine implements Engine {
  private readonly options: MockOptions
  private onDown: ((reason: Error) => void) | undefined
  private down = new AbortController()
  private tasks = 0

  constructor(options: MockOptions) {
    this.options = options
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    this.down = new AbortController()
    this.onDown = onDown
    const { ctx, slots, load_ms, replayable, continues, clock, prefill_ms, token_ms } = this.options
    if (load_ms > 0) await pause(clock, load_ms, [this.down.signal])
    return {
      engine_version: 'mock-1',
      ctx_max: ctx,
      slots,
      workloads: ['completion', 'embedding', 'rerank'],
      replayable,
      // What a probe would measure: it does what it was told.
      probe: { prompt_tokens: probe_tokens, prefill_ms, tokens_out: 2, decode_ms: token_ms },
      features: continues ? mockFeatures : mockFeatures.filter((feature) => feature !== 'continues'),
    }
  }

  countTokens(prompt: Prompt): Promise<number> {
    return Promise.resolve(estimatePrompt(prompt))
  }

  async generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const { prefill_ms, token_ms, tokens, fault, clock } = this.options
    const signals = [signal, this.down.signal]
    const faulty = fault !== undefined && ++this.tasks % fault.every === 0
    const answer = answerTo(request, tokens)
    const out = new StoppedParts(request.sampling.stop)
    const tokens_in = (await this.countTokens(request.prompt)) + estimateTokens(request.continue_from ?? '')
    await pause(clock, prefill_ms, signals)
    let made = 0
    let thought = 0
    let token = answer.next()
    while (token.done !== true && made < request.max_tokens && !out.stopped) {
      if (made > 0) await pause(clock, token_ms, signals)
      if (faulty && made === fault.after_tokens) await this.fail(fault.kind, signals)
      made++
      if (token.value.kind === 'reasoning') thought++
      const fresh = out.push(token.value)
      if (fresh !== undefined) onPart(fresh)
      token = answer.next()
    }
    const rest = out.flush()
    if (rest !== undefined) onPart(rest)
    if (faulty && made <= fault.after_tokens) await this.fail(fault.kind, signals)
    return {
      finish_reason: out.stopped ? 'stop' : token.done === true ? token.value : 'length',
      tokens_in,
      tokens_out: made,
      ...(request.chat.reasoning_effort === undefined ? {} : { tokens_reasoning: thought }),
      ...out.told,
      kv_warm: false,
    }
  }

  /** Unit vectors drawn from each input and the seed. */
  embed(inputs: readonly EmbeddingInput[], seed: number): Promise<{ vectors: number[][]; tokens_in: number }> {
    const vectors = inputs.map((input) => {
      const next = random(extendMark({ bytes: 0, hash: seed }, typeof input === 'string' ? input : JSON.stringify(input)).hash)
      const raw = Array.from({ length: dimensions }, () => next() * 2 - 1)
      const norm = Math.hypot(...raw)
      return raw.map((value) => value / norm)
    })
    return Promise.resolve({ vectors, tokens_in: inputs.reduce((sum, input) => sum + estimateInput(input), 0) })
  }

  /** Share of the query's words that a document has. */
  rerank(query: string, documents: readonly string[]): Promise<{ scores: number[]; tokens_in: number }> {
    const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? [])
    const wanted = words(query)
    const scores = documents.map((document) => {
      const present = words(document)
      return wanted.size === 0 ? 0 : [...wanted].filter((one) => present.has(one)).length / wanted.size
    })
    return Promise.resolve({ scores, tokens_in: estimateTokens(query) + documents.reduce((sum, text) => sum + estimateTokens(text), 0) })
  }

  stop(): Promise<void> {
    this.onDown = undefined
    this.down.abort(new EngineError('the mock engine was stopped', { retriable: true }))
    return Promise.resolve()
  }

  private async fail(kind: MockFault['kind'], signals: readonly AbortSignal[]): Promise<void> {
    if (kind === 'fail') throw new EngineError('the mock engine failed on purpose', { retriable: true })
    if (kind === 'die') {
      const reason = new EngineError('the mock engine died on purpose', { retriable: true })
      const { onDown } = this
      this.onDown = undefined
      this.down.abort(reason)
      onDown?.(reason)
      throw reason
    }
    await pause(this.options.clock, Infinity, kind === 'deaf' ? [this.down.signal] : signals)
  }
}

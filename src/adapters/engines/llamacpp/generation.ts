import type { LlamaGrammarEvaluationState, LlamaModel, SequenceEvaluateOptions, Token, TokenBias } from 'node-llama-cpp'
import { StopSequences } from '../../../domain/stream/stop-sequences.ts'
import { WholeCodePoints } from '../../../domain/stream/whole-code-points.ts'
import { EngineError, type GenerateRequest, type GenerateResult } from '../../../ports/engine.ts'
import { CONTEXT, IncrementalDecoder } from './text-decoder.ts'
import type { LoadedModel } from './loading.ts'
import { biasOf, evaluateOptions } from './sampling.ts'
import { preparePrefix, type Slot } from './slots.ts'
import type { RunStep } from './steps.ts'

/** A request, and in GBNF what holds its answer to a format. */
export interface HeldRequest extends GenerateRequest {
  readonly grammar?: string | undefined
}

/**
 * Runs one request to its end.
 * @throws the signal's reason once it has stopped; {EngineError} when the prompt leaves no room or the evaluation fails
 */
export async function generate(
  loaded: LoadedModel,
  request: HeldRequest,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<GenerateResult> {
  const prompt = loaded.encoder.encode(request.prompt, request.continue_from)
  if (prompt.length >= loaded.props.ctx_max) {
    const [has, max] = [String(prompt.length), String(loaded.props.ctx_max)]
    throw new EngineError(`the prompt has ${has} tokens, which leaves no room in a context of ${max}`, { retriable: false })
  }
  const slot = await loaded.slots.acquire(request.session, signal)
  try {
    const warm = await preparePrefix(slot, request.session, request.kv, prompt)
    // Compiled once there is a slot: who waits costs nothing.
    const grammar = request.grammar === undefined ? undefined : await loaded.newGrammarState(request.grammar)
    return await new Generation({ loaded, request, prompt, slot, grammar }).run(warm, onText, signal)
  } catch (error) {
    if (!signal.aborted) await forget(slot)
    throw error
  } finally {
    loaded.slots.release(slot)
  }
}

/** After a failed evaluation the sequence's state is unknown. */
async function forget(slot: Slot): Promise<void> {
  slot.session = undefined
  await slot.sequence.clearHistory()
}

interface GenerationParts {
  readonly loaded: LoadedModel
  readonly request: GenerateRequest
  readonly prompt: readonly Token[]
  readonly slot: Slot
  readonly grammar: LlamaGrammarEvaluationState | undefined
}

class Generation {
  private readonly model: LlamaModel
  private readonly bias: TokenBias | undefined
  private readonly grammar: LlamaGrammarEvaluationState | undefined
  private readonly step: RunStep
  private readonly chunk: number
  private readonly slot: Slot
  private readonly request: GenerateRequest
  private readonly prompt: readonly Token[]
  private readonly history: Token[]
  private readonly limit: number
  private readonly decoder: IncrementalDecoder<Token>
  private readonly stops: StopSequences
  private readonly whole = new WholeCodePoints()

  constructor({ loaded, request, prompt, slot, grammar }: GenerationParts) {
    this.model = loaded.model
    this.bias = biasOf(request.sampling, loaded, grammar !== undefined)
    this.grammar = grammar
    this.step = loaded.step
    this.chunk = loaded.chunk
    this.slot = slot
    this.request = request
    this.prompt = prompt
    this.history = [...prompt]
    // The last token is not evaluated, so prompt and answer together fill the context and the library never has to shift it.
    this.limit = Math.min(request.max_tokens, loaded.props.ctx_max - prompt.length)
    this.stops = new StopSequences(request.sampling.stop)
    const near = prompt.slice(-CONTEXT)
    const text = near.slice(near.findLastIndex((token) => this.model.isSpecialToken(token)) + 1)
    this.decoder = new IncrementalDecoder((tokens) => this.model.detokenize(tokens), text)
  }

  /** @param warm tokens of the prompt that are in the KV cache already */
  async run(warm: number, onText: (text: string) => void, signal: AbortSignal): Promise<GenerateResult> {
    const last = await this.prefill(this.prompt.slice(warm), signal)
    const { sequence } = this.slot
    const tokens = sequence.evaluate(last, this.options())
    const send = (text: string): void => {
      const piece = this.whole.push(text)
      if (piece.length > 0) onText(piece)
    }
    let count = 0
    let finish_reason: GenerateResult['finish_reason'] = 'length'
    try {
      while (count < this.limit) {
        signal.throwIfAborted()
        const next = await this.step(() => tokens.next())
        signal.throwIfAborted()
        // The library ends the iteration at an end-of-generation token.
        if (next.done === true) {
          finish_reason = 'stop'
          break
        }
        count += 1
        this.history.push(next.value)
        send(this.stops.push(this.decoder.push(next.value)))
        if (this.stops.stopped) {
          finish_reason = 'stop'
          break
        }
      }
    } finally {
      await tokens.return()
    }
    send(this.stops.flush())
    const rest = this.whole.flush()
    if (rest.length > 0) onText(rest)
    return { finish_reason, tokens_in: this.prompt.length, tokens_out: count, kv_warm: warm > 0 }
  }

  private options(): SequenceEvaluateOptions {
    const { request, history, bias, grammar } = this
    const options = evaluateOptions(request.sampling, request.seed, history, bias)
    return grammar === undefined ? options : { ...options, grammarEvaluationState: grammar }
  }

  /** Evaluates all but the last chunk, in pieces so that an abort need not wait for a long prompt, and returns that chunk. */
  private async prefill(rest: readonly Token[], signal: AbortSignal): Promise<Token[]> {
    let from = 0
    for (; rest.length - from > this.chunk; from += this.chunk) {
      signal.throwIfAborted()
      const piece = rest.slice(from, from + this.chunk)
      await this.step(() => this.slot.sequence.evaluateWithoutGeneratingNewTokens(piece))
    }
    return rest.slice(from)
  }
}

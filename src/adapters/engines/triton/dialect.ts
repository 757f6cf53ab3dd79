import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Part } from '../../../domain/stream/part.ts'
import type { GenerateRequest, GenerateResult } from '../../../ports/engine.ts'
import type { EngineClient } from '../http/client.ts'
import type { AnswerReader, Dialect } from '../http/dialect.ts'
import { EngineFault } from '../http/faults.ts'
import { sse } from '../http/framing.ts'
import { objectsOf, textOf, type JsonObject } from '../http/json.ts'
import { nameOf } from '../http/openai/calls.ts'

/** Triton Inference Server. @param model_ref the model it has to have loaded. @param ctx of the configuration: Triton knows none */
export function tritonDialect(model_ref: string, ctx: number | undefined): Dialect {
  let inputs: ReadonlySet<string> = new Set()
  return {
    health: '/v2/health/ready',
    inspect: async (client, signal) => {
      if (ctx === undefined) throw new EngineFault('failed', 'the engine does not tell its context: give it as ctx')
      const { version } = await client.get('/v2', signal)
      const name = nameOf(model_ref)
      const model = name ?? onlyOf(await readyModels(client, signal))
      if (name !== undefined) await load(client, name, signal)
      const path = `/v2/models/${encodeURIComponent(model)}`
      const metadata = await client.get(path, signal)
      inputs = new Set(objectsOf(metadata['inputs']).flatMap(({ name }) => textOf(name) ?? []))
      return {
        ...{ engine_version: textOf(version) ?? 'unknown', model, ctx_max: ctx, workloads: ['completion'], tokens_estimated: true },
        // Triton is well without the model, too.
        health: `${path}/ready`,
        features: inputs.has('stop_words') || inputs.has('stop') ? ['stop_sequences'] : [],
        loads: true,
      }
    },
    generation: (request, { model }, onPart) => ({
      path: `/v2/models/${encodeURIComponent(model)}/generate_stream`,
      body: generateBody(request, inputs),
      framing: sse,
      reader: new TritonReader(onPart, request),
    }),
    load: (client, { model }, signal) => load(client, model, signal),
    unload: async (client, { model }, signal) => {
      await client.text(`/v2/repository/models/${encodeURIComponent(model)}/unload`, signal, 'POST')
    },
    count: (_client, prompt) => Promise.resolve(estimatePrompt(prompt)),
  }
}

/** Names of the models that are loaded. */
async function readyModels(client: EngineClient, signal: AbortSignal): Promise<string[]> {
  const ready = objectsOf(await client.postForValue('/v2/repository/index', { ready: true }, signal))
  return ready.flatMap(({ name }) => textOf(name) ?? [])
}

/** @throws EngineFault where there is not one model */
function onlyOf(names: readonly string[]): string {
  const [only, ...others] = names
  if (only === undefined || others.length > 0) throw new EngineFault('failed', 'the engine has not one model but others: name one in model')
  return only
}

/** Has Triton load a model, if it is not there. @throws EngineFault where it does not load, or Triton was started without `--model-control-mode explicit` */
async function load(client: EngineClient, model: string, signal: AbortSignal): Promise<void> {
  if ((await readyModels(client, signal)).includes(model)) return
  try {
    await client.text(`/v2/repository/models/${encodeURIComponent(model)}/load`, signal, 'POST')
  } catch (cause) {
    signal.throwIfAborted()
    if (!(cause instanceof EngineFault) || cause.status === undefined) throw cause
    throw new EngineFault(
      'failed',
      `the engine has not loaded ${model}, and cannot (it loads while it runs only with explicit model control)`,
      { cause },
    )
  }
}

/** A model is asked only for what it takes: one refuses what it does not know, another ignores it. */
function generateBody({ prompt, sampling, seed, max_tokens }: GenerateRequest, inputs: ReadonlySet<string>): object {
  const { temperature, top_p, top_k, repeat_penalty, frequency_penalty, presence_penalty, stop } = sampling
  const text_input = 'text' in prompt ? prompt.text : ''
  const known = {
    ...{ text_input, max_tokens, stream: true, seed, random_seed: seed, temperature, top_p, top_k, stop, stop_words: stop },
    ...{ repetition_penalty: repeat_penalty, frequency_penalty, presence_penalty },
  }
  return Object.fromEntries(Object.entries(known).filter(([name]) => name === 'text_input' || inputs.has(name)))
}

/** Reads `generate_stream`: it has no end mark but the end of its body. */
class TritonReader implements AnswerReader {
  ended = false
  private readonly onPart: (part: Part) => void
  private readonly request: GenerateRequest
  private tokens = 0

  constructor(onPart: (part: Part) => void, request: GenerateRequest) {
    this.onPart = onPart
    this.request = request
  }

  take(message: JsonObject): void {
    this.tokens++
    const text = textOf(message['text_output'])
    if (text !== undefined) this.onPart({ kind: 'text', text: text.toWellFormed() })
  }

  closed(): void {
    this.ended = true
  }

  /** Triton tells no usage: one event is one token. */
  result(): GenerateResult {
    const { max_tokens, prompt } = this.request
    const finish_reason = this.tokens >= max_tokens ? 'length' : 'stop'
    return { finish_reason, tokens_in: estimatePrompt(prompt), tokens_out: this.tokens, kv_warm: false }
  }
}

import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Feature } from '../../../domain/task.ts'
import type { EngineClient } from '../http/client.ts'
import type { Dialect } from '../http/dialect.ts'
import { EngineFault } from '../http/faults.ts'
import { sse } from '../http/framing.ts'
import { objectOf, objectsOf, textOf } from '../http/json.ts'
import { nameOf } from '../http/openai/calls.ts'
import { generateBody, llmApi, streaming, TritonReader } from './generate.ts'

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
      inputs = await inputsOf(client, path, signal)
      return {
        ...{ engine_version: textOf(version) ?? 'unknown', model, ctx_max: ctx, workloads: ['completion'], tokens_estimated: true },
        // Triton is well without the model, too.
        health: `${path}/ready`,
        features: featuresOf(inputs),
        loads: true,
      }
    },
    generation: (request, { model }, onPart) => ({
      path: `/v2/models/${encodeURIComponent(model)}/generate_stream`,
      body: generateBody(request, inputs),
      framing: sse,
      reader: new TritonReader(onPart, request, inputs.has(streaming)),
    }),
    load: (client, { model }, signal) => load(client, model, signal),
    unload: async (client, { model }, signal) => {
      await client.text(`/v2/repository/models/${encodeURIComponent(model)}/unload`, signal, 'POST')
    },
    count: (_client, prompt) => Promise.resolve(estimatePrompt(prompt)),
  }
}

/** Inputs of a model that a task may fill. */
async function inputsOf(client: EngineClient, path: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const told = objectsOf((await client.get(path, signal))['inputs'])
  // That of TensorRT-LLM cancels a request.
  const usable = told.filter(({ name, datatype }) => name !== 'stop' || datatype !== 'BOOL')
  const inputs = new Set(usable.flatMap(({ name }) => textOf(name) ?? []))
  if (!inputs.has(streaming)) return inputs
  const { decoupled } = objectOf((await client.get(`${path}/config`, signal))['model_transaction_policy'])
  if (decoupled !== true) inputs.delete(streaming)
  return inputs
}

function featuresOf(inputs: ReadonlySet<string>): Feature[] {
  const likeVllm = inputs.has('sampling_parameters')
  const has = (name: string): boolean => likeVllm || inputs.has(name) || inputs.has(llmApi(name))
  const stops = has('stop') || inputs.has('stop_words')
  const penalties = has('frequency_penalty') && has('presence_penalty')
  return [...(stops ? (['stop_sequences'] as const) : []), ...(penalties ? (['penalties'] as const) : [])]
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

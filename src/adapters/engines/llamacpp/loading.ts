import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import type * as NodeLlamaCpp from 'node-llama-cpp'
import type { Llama, LlamaContext, LlamaGrammarEvaluationState, LlamaModel, TokenBias } from 'node-llama-cpp'
import { EngineError, type EngineProps } from '../../../ports/engine.ts'
import { gpuRefusal } from './gpu-builds.ts'
import { batchingIsExact, fastestThreads } from './measure.ts'
import { checkModelFile, digestOf } from './model-file.ts'
import type { PromptEncoder } from './prompt.ts'
import type { KnownDigest, LoadCommand } from './protocol.ts'
import { Slots } from './slots.ts'
import { inStep, oneAtATime, type RunStep } from './steps.ts'

/** Prompt tokens evaluated between two looks at the abort signal. A GPU does more in less time, and wants large batches. */
const CHUNK = { cpu: 64, gpu: 512 }

/** A model ready to serve. */
export interface LoadedModel {
  readonly llama: Llama
  readonly model: LlamaModel
  /** No biases yet. */
  readonly newBias: () => TokenBias
  /** What holds an answer to a grammar, in GBNF, from its first token on. @throws EngineError where llama.cpp does not take the grammar */
  readonly newGrammarState: (grammar: string) => Promise<LlamaGrammarEvaluationState>
  readonly encoder: PromptEncoder
  readonly slots: Slots
  readonly step: RunStep
  /** Prompt tokens evaluated at once. */
  readonly chunk: number
  readonly props: EngineProps
  readonly known_digest: KnownDigest
}

/** Loads model and context, measures, and says what they can do. @throws {EngineError} with the file's name and why */
export async function load(command: LoadCommand, warn: (line: string) => void): Promise<LoadedModel> {
  const { model_path, slots, gpu } = command
  const file = await checkModelFile(model_path)
  const library = await importLibrary()
  const llama = await openLibrary(library, gpu, warn)
  const digest = digestOf(model_path, file, command.known_digest)
  digest.catch(() => undefined)
  const model = await llama.loadModel({ modelPath: model_path }).catch((cause: unknown) => {
    throw new EngineError(
      `cannot load the model, it is corrupt or of a kind this llama.cpp does not know: ${basename(model_path)} (${messageOf(cause)})`,
      {
        retriable: false,
        cause,
      },
    )
  })
  const ctx_max = Math.min(command.ctx, model.trainContextSize)
  const threads = command.threads > 0 ? command.threads : await fastestThreads(model, availableParallelism())
  const onCpu = llama.gpu === false
  const context = await createContext(model, { ctx: ctx_max, slots, threads, onCpu, model_path })
  const sequences = Array.from({ length: slots }, () => context.getSequence())
  // A seed promises the same text beside other tasks. Where batching would break that, each step runs alone and takes its time.
  const step = !onCpu || slots === 1 || (await batchingIsExact(context, sequences)) ? inStep() : oneAtATime()
  // Only here, as it imports an optional dependency: without the library the child says how to install that.
  const { PromptEncoder } = await import('./prompt.ts')
  const encoder = new PromptEncoder(model, warn)
  const known_digest = await digest
  const props: EngineProps = {
    engine_version: `llama.cpp-${llama.llamaCppRelease.release}+node-llama-cpp-${await library.getModuleVersion()}`,
    ctx_max,
    slots,
    workloads: ['completion'],
    // GPU kernels sum in an order that changes with the batch.
    replayable: onCpu,
    features: [...encoder.features, 'stop_sequences', 'kv_reuse', 'penalties', 'logit_bias', 'continues', 'json_object', 'json_schema'],
    model_digest: known_digest.digest,
  }
  const newBias = (): TokenBias => library.TokenBias.for(model)
  const newGrammarState = async (grammar: string): Promise<LlamaGrammarEvaluationState> => {
    const compiled = await llama.createGrammar({ grammar }).catch((cause: unknown) => {
      throw new EngineError(`llama.cpp does not take the grammar of response_format (${messageOf(cause)})`, { retriable: false, cause })
    })
    return new library.LlamaGrammarEvaluationState({ model, grammar: compiled })
  }
  const shared = { llama, model, newBias, newGrammarState, encoder, step, props, known_digest }
  return { ...shared, slots: new Slots(sequences), chunk: onCpu ? CHUNK.cpu : CHUNK.gpu }
}

async function importLibrary(): Promise<typeof NodeLlamaCpp> {
  try {
    return await import('node-llama-cpp')
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    const what = missing ? 'node-llama-cpp is not installed' : `node-llama-cpp cannot be used (${messageOf(cause)})`
    throw new EngineError(`${what}: run npm install node-llama-cpp`, { retriable: false, cause })
  }
}

async function openLibrary(library: typeof NodeLlamaCpp, gpu: boolean, warn: (line: string) => void): Promise<Llama> {
  const llama = await openBinary(library, gpu, warn)
  // Without a build for a GPU the library takes the CPU and says nothing.
  if (!gpu || llama.gpu !== false) return llama
  const [version, found] = await Promise.all([library.getModuleVersion(), library.getLlamaGpuTypes('supported')])
  const drivers = found.filter((type) => type !== false)
  throw new EngineError(gpuRefusal(`${process.platform}-${process.arch}`, version, drivers), { retriable: false })
}

async function openBinary(library: typeof NodeLlamaCpp, gpu: boolean, warn: (line: string) => void): Promise<Llama> {
  try {
    return await library.getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      // No limit of the library's own: it would run fewer threads than asked for while another context is busy.
      maxThreads: 0,
      logLevel: library.LlamaLogLevel.warn,
      logger: (level, message) => warn(`llama.cpp ${level}: ${message.trimEnd()}`),
    })
  } catch (cause) {
    throw new EngineError(`node-llama-cpp has no llama.cpp binary for this machine: run npm install node-llama-cpp (${messageOf(cause)})`, {
      retriable: false,
      cause,
    })
  }
}

async function createContext(
  model: LlamaModel,
  { ctx, slots, threads, onCpu, model_path }: { ctx: number; slots: number; threads: number; onCpu: boolean; model_path: string },
): Promise<LlamaContext> {
  try {
    return await model.createContext({
      // Per sequence: the library multiplies it and gives each sequence a KV stream of its own.
      contextSize: ctx,
      sequences: slots,
      threads,
      // On CPU its kernels change with the number of tokens in a batch; plain attention is the same sum whatever runs beside it.
      flashAttention: onCpu ? false : 'auto',
    })
  } catch (cause) {
    const size = `${String(slots)} x ${String(ctx)} tokens`
    throw new EngineError(`cannot create a context of ${size} for ${basename(model_path)} (${messageOf(cause)})`, {
      retriable: true,
      cause,
    })
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

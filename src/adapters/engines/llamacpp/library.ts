import { basename } from 'node:path'
import type * as NodeLlamaCpp from 'node-llama-cpp'
import type { Llama, LlamaModel } from 'node-llama-cpp'
import { EngineError } from '../../../ports/engine.ts'

/** Loads the library, which is optional. @throws {EngineError} which says what to install */
export async function importLibrary(): Promise<typeof NodeLlamaCpp> {
  try {
    return await import('node-llama-cpp')
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    const what = missing ? 'node-llama-cpp is not installed' : `node-llama-cpp cannot be used (${messageOf(cause)})`
    throw new EngineError(`${what}: run npm install node-llama-cpp`, { retriable: false, cause })
  }
}

/** Opens llama.cpp itself. @param warn gets its warnings @throws {EngineError} which says what to install */
export async function openBinary(library: typeof NodeLlamaCpp, gpu: boolean, warn: (line: string) => void): Promise<Llama> {
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

/** Loads a model. @param vocabOnly nothing but its words @throws {EngineError} with the file's name and why */
export async function loadModel(llama: Llama, modelPath: string, { vocabOnly = false } = {}): Promise<LlamaModel> {
  try {
    return await llama.loadModel({ modelPath, vocabOnly })
  } catch (cause) {
    const name = `${basename(modelPath)} (${messageOf(cause)})`
    throw new EngineError(`cannot load the model, it is corrupt or of a kind this llama.cpp does not know: ${name}`, {
      retriable: false,
      cause,
    })
  }
}

/** What an error says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

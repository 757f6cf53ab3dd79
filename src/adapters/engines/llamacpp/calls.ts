import type { Part } from '../../../domain/stream/part.ts'
import { EngineError, type GenerateResult } from '../../../ports/engine.ts'
import type { Call, LlamaProcess } from './process.ts'
import type { ReadyMessage, TokenRequest } from './protocol.ts'

/** The process that runs the model. */
export type Child = LlamaProcess<ReadyMessage>

/** Generates in the child as `Engine.generate` says. */
export async function generate(
  child: Child,
  request: TokenRequest,
  onPart: (part: Part) => void,
  signal: AbortSignal,
): Promise<GenerateResult> {
  signal.throwIfAborted()
  if (!child.ready) throw new EngineError('the llama.cpp engine is not running', { retriable: true })
  const { promise, resolve, reject } = Promise.withResolvers<GenerateResult>()
  let thrown: { error: unknown } | undefined
  const abort = (): void => child.send({ type: 'abort', id })
  const call: Call = {
    text: (piece) => {
      // Tokens still in the pipe when the caller aborted must not reach it.
      if (signal.aborted || thrown !== undefined) return
      try {
        onPart({ kind: 'text', text: piece })
      } catch (error) {
        thrown = { error }
        abort()
      }
    },
    end: (outcome) => {
      if (thrown !== undefined) reject(thrown.error)
      else if (signal.aborted) reject(signal.reason)
      else if (outcome.type === 'done') resolve(outcome.result)
      else reject(outcomeError(outcome))
    },
    // A dead engine has stopped, too: that confirms an abort as well as the child would have.
    fail: (error) => reject(signal.aborted ? signal.reason : error),
  }
  const id = child.begin(call, (id) => ({ type: 'generate', id, request }))
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** What an outcome means that is none of those that were asked for. */
export function outcomeError(outcome: { readonly type: string; readonly message?: string; readonly retriable?: boolean }): EngineError {
  const message = outcome.message ?? `unexpected answer of the llama.cpp process: ${outcome.type}`
  return new EngineError(message, { retriable: outcome.retriable ?? true })
}

/** The process that turns prompts into tokens, on orders of tokenizer.ts: a text that takes long, or kills it, stops no token of anybody. */
import { flushCompileCache } from 'node:module'
import { EngineError } from '../../../ports/engine.ts'
import { failureOf, outliveSignals, post } from './child-side.ts'
import { importLibrary, loadModel, openBinary } from './library.ts'
import { checkModelFile } from './model-file.ts'
import type { PromptEncoder } from './prompt.ts'
import type { EncodeCommand, TokenizerCommand, TokenizerLoadCommand } from './protocol.ts'

let encoder: PromptEncoder | undefined

const warn = (line: string): void => void process.stderr.write(`${line}\n`)

async function onLoad({ model_path, system_messages }: TokenizerLoadCommand): Promise<void> {
  try {
    await checkModelFile(model_path)
    const library = await importLibrary()
    const model = await loadModel(await openBinary(library, false, warn), model_path, { vocabOnly: true })
    // Only here, as it imports an optional dependency: without the library the child says how to install that.
    const { PromptEncoder } = await import('./prompt.ts')
    encoder = new PromptEncoder(model, system_messages === 'prepend', warn)
    const { features, longestToken } = encoder
    post({ type: 'ready', features, ...(longestToken === undefined ? {} : { longest_token: longestToken }) })
    flushCompileCache()
  } catch (error) {
    post({ type: 'failed', ...failureOf(error) })
  }
}

function onEncode({ id, prompt, given, count }: EncodeCommand): void {
  try {
    if (encoder === undefined) throw new EngineError('no model is loaded', { retriable: true })
    const tokens = encoder.encode(prompt, given)
    post(count ? { type: 'counted', id, tokens: tokens.length } : { type: 'encoded', id, tokens })
  } catch (error) {
    post({ type: 'error', id, ...failureOf(error) })
  }
}

process.on('message', (message) => {
  const command = message as TokenizerCommand
  switch (command.type) {
    case 'load':
      void onLoad(command)
      break
    case 'encode':
      onEncode(command)
      break
    case 'stop':
      process.exit(0)
  }
})
outliveSignals()

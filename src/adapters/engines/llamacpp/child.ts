/** The child process: runs llama.cpp on orders of process.ts. */
import { flushCompileCache } from 'node:module'
import { basename } from 'node:path'
import { EngineError } from '../../../ports/engine.ts'
import { generate } from './generation.ts'
import { load, type LoadedModel } from './loading.ts'
import { failureOf, outliveSignals, post } from './child-side.ts'
import { isChanged } from './model-file.ts'
import type { Command, GenerateCommand, LoadCommand, Report } from './protocol.ts'

let loaded: LoadedModel | undefined
const running = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>()
let pieces: (number | string)[] = []

const flush = (): void => {
  if (pieces.length === 0) return
  const batch = pieces
  pieces = []
  post({ type: 'text', pieces: batch })
}

/** A piece of text; those of one round of the event loop go out together. */
const postText = (id: number, text: string): void => {
  if (pieces.length === 0) setImmediate(flush)
  pieces.push(id, text)
}

/** Anything else goes out after the text that came before it. */
const postAfterText = (report: Report): void => {
  flush()
  post(report)
}

const model = (): LoadedModel => {
  if (loaded === undefined) throw new EngineError('no model is loaded', { retriable: true })
  return loaded
}

/** How often the child looks whether its KV cache has changed, milliseconds. */
const KV_MS = 1000

/** Tells how full the KV cache is, now and whenever that has changed. */
function watchKv({ slots, props }: LoadedModel): void {
  let told: number | undefined
  const tell = (): void => {
    const usage = Math.min(1, slots.tokens / (props.slots * props.ctx_max))
    if (usage !== told) postAfterText({ type: 'kv', usage })
    told = usage
  }
  tell()
  setInterval(tell, KV_MS).unref()
}

/** How often the child looks whether its model's file has been overwritten, milliseconds. */
const FILE_MS = 500

/** The library has the file mapped into memory: what is written over it is in the answers at once. */
function watchFile(model_path: string, { known_digest }: LoadedModel): void {
  const message = `the model file ${basename(model_path)} was changed while it was served; it is loaded anew`
  const look = async (): Promise<void> => {
    if (await isChanged(model_path, known_digest.file)) postAfterText({ type: 'failed', message, retriable: true })
  }
  setInterval(() => void look(), FILE_MS).unref()
}

async function onLoad(command: LoadCommand): Promise<void> {
  try {
    loaded = await load(command, (line) => process.stderr.write(`${line}\n`))
    postAfterText({ type: 'ready', props: loaded.props, known_digest: loaded.known_digest })
    watchKv(loaded)
    watchFile(command.model_path, loaded)
    // By itself Node writes down what it compiled when it ends, which a process that is killed does not.
    flushCompileCache()
  } catch (error) {
    postAfterText({ type: 'failed', ...failureOf(error) })
  }
}

async function onGenerate({ id, request }: GenerateCommand, signal: AbortSignal): Promise<void> {
  try {
    const result = await generate(model(), request, (text) => postText(id, text), signal)
    postAfterText({ type: 'done', id, result })
  } catch (error) {
    postAfterText(signal.aborted ? { type: 'aborted', id } : { type: 'error', id, ...failureOf(error) })
  } finally {
    running.delete(id)
  }
}

async function onStop(): Promise<void> {
  for (const { abort } of running.values()) abort.abort()
  await Promise.all([...running.values()].map(({ ended }) => ended))
  await loaded?.llama.dispose()
  process.exit(0)
}

process.on('message', (message) => {
  const command = message as Command
  switch (command.type) {
    case 'load':
      void onLoad(command)
      break
    case 'generate': {
      const abort = new AbortController()
      // `running` is set before the first step, so that the end of it always finds its entry.
      const ended = Promise.resolve().then(() => onGenerate(command, abort.signal))
      running.set(command.id, { abort, ended })
      break
    }
    case 'abort':
      running.get(command.id)?.abort.abort()
      break
    case 'stop':
      void onStop()
      break
  }
})
outliveSignals()

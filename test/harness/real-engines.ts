import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installedBelow as cache, withInstalled } from './installed.ts'
import { modelsDir } from './process.ts'

/** What `npm run engines` installs: engines, Prometheus' test of rules, a browser, a proxy, generators of clients; by the folder of each. */
export type RealEngine =
  | 'llama-server'
  | 'llama-router'
  | 'triton'
  | 'promtool'
  | 'chromium'
  | 'nginx'
  | 'python-client'
  | 'openapi-generator'

/** The model that real engines serve. */
export const talesFile = join(modelsDir, 'tinytales.gguf')

/** Writes a copy of that model which believes that its context is another: an answer may be as long as a test needs. @returns the file */
export function talesOfContext(tokens: number, folder: string): string {
  const model = readFileSync(talesFile)
  const key = 'llama.context_length'
  // A 32-bit number, after its type.
  model.writeUInt32LE(tokens, model.indexOf(key) + key.length + 4)
  const file = join(folder, 'long-tales.gguf')
  writeFileSync(file, model)
  return file
}

/** A suite that needs a real engine. Where it is not installed its tests are skipped, and the title says how to install it. */
export function withEngine(engine: RealEngine, title: string, suite: () => void): void {
  withInstalled(engine, 'engines', title, suite)
}

/** A file of what is installed. */
export const installed = (engine: RealEngine, path: string): string => join(cache, engine, path)

/** How to start an engine: its command and what its environment needs. */
export interface EngineCommand {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A llama-server with one thread. @param options of its own command line, beside `--port` */
export const llamaServer = (...options: string[]): EngineCommand => ({
  argv: [join(cache, 'llama-server/bin/python'), harness('llama-server.py'), '--threads', '1', ...options],
})

/** A llama-server in router mode: all models of a folder. @param options of its own command line, beside `--port` */
export const llamaRouter = (models_dir: string, ...options: string[]): EngineCommand => ({
  argv: [join(cache, 'llama-router/root/usr/bin/llama-server'), '--models-dir', models_dir, '--threads', '1', ...options],
})

/** Triton with the model `tales` (`test/harness/engines/triton`), loaded only where it is asked to. */
export function triton(port: number): EngineCommand {
  const [packages = ''] = globSync(join(cache, 'triton/lib/python3.*/site-packages'))
  const home = join(packages, 'pytriton/tritonserver')
  const model = ['--model-repository', harness('triton'), '--model-control-mode', 'explicit', '--load-model', 'tales']
  const only = ['--backend-directory', join(home, 'backends'), '--allow-grpc', 'false', '--allow-metrics', 'false']
  const place = ['--http-address', '127.0.0.1', '--http-port', String(port)]
  return {
    argv: [join(home, 'bin/tritonserver'), ...model, ...only, ...place],
    env: {
      LD_LIBRARY_PATH: join(packages, 'nvidia_pytriton.libs'),
      PYTHONPATH: packages,
      PYTHONDONTWRITEBYTECODE: '1',
      PATH: `${join(cache, 'triton/bin')}:${process.env['PATH'] ?? ''}`,
    },
  }
}

function harness(file: string): string {
  return fileURLToPath(new URL(`engines/${file}`, import.meta.url))
}

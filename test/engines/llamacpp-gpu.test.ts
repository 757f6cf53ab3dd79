import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import { gpuRefusal } from '../../src/adapters/engines/llamacpp/gpu-builds.ts'
import { modelsDir } from '../harness/process.ts'

const options = {
  model_path: join(modelsDir, 'tinytales.gguf'),
  ctx: 64,
  slots: 1,
  threads: 1,
  temperature: 0.7,
  onOutput: () => undefined,
}
const nothing = (): void => undefined

/** The environments of this process's children. */
const environments = (): string[] =>
  readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        return parent === process.pid ? [readFileSync(`/proc/${pid}/environ`, 'utf8')] : []
      } catch {
        // It has ended meanwhile.
        return []
      }
    })

describe('llama.cpp engine: GPUs', () => {
  it('names the packages of its own version that it needs', () => {
    assert.equal(
      gpuRefusal('linux-x64', '3.22.1', ['cuda', 'vulkan']),
      'llamacpp.gpu is true, and llama.cpp has no GPU that it can use (driver found: cuda, vulkan): run npm install @node-llama-cpp/linux-x64-cuda@3.22.1 (NVIDIA) or @node-llama-cpp/linux-x64-vulkan@3.22.1 (any other), after taking it out of overrides in package.json if it is there',
    )
    assert.match(gpuRefusal('linux-arm64', '3.22.1', []), /\(driver found: none\): node-llama-cpp has no build for a GPU of linux-arm64$/)
  })

  it('names packages that its library knows', () => {
    const { resolve } = createRequire(import.meta.url)
    const text = readFileSync(join(resolve('node-llama-cpp'), '../../package.json'), 'utf8')
    const { version, optionalDependencies } = JSON.parse(text) as { version: string; optionalDependencies: Record<string, string> }
    for (const machine of ['linux-x64', 'win32-x64', 'darwin-arm64'])
      for (const [, name = '', wanted = ''] of gpuRefusal(machine, version, []).matchAll(/(@node-llama-cpp\/[\w-]+)@([\d.]+)/g))
        assert.equal(optionalDependencies[name], wanted, name)
  })

  it('are refused where the installed build has none', async () => {
    const engine = createLlamaCppEngine({ ...options, gpu: true })
    const message = await engine.start(nothing).then(
      async () => {
        await engine.stop()
        return undefined
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    // On a machine with a GPU and its build it simply works.
    if (message !== undefined)
      assert.match(message, /^llamacpp\.gpu is true, and llama\.cpp has no GPU that it can use .*@node-llama-cpp\//)
  })

  it('are those of the replica in the eyes of the child', async () => {
    const engine = createLlamaCppEngine({ ...options, gpu: false, devices: [1] })
    await engine.start(nothing)
    try {
      assert.ok(environments().some((env) => env.split('\0').includes('CUDA_VISIBLE_DEVICES=1')))
    } finally {
      await engine.stop()
    }
  })
})

/** `node build.ts FILE` makes one file of what the embedded engine's child uses of node-llama-cpp. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown, type Plugin } from 'rolldown'

const [file = ''] = process.argv.slice(2)

const used = 'getLlama, LlamaLogLevel, TokenBias, LlamaGrammarEvaluationState, getModuleVersion, getLlamaGpuTypes'
const entry = 'used'

/** The module that tries the binary in a process of its own before it is loaded. */
const trial = '/testBindingBinary.js'

const plugin: Plugin = {
  name: 'llama-library',
  resolveId: (id) => (id === entry ? id : null),
  load: (id) => (id === entry ? `export { ${used} } from 'node-llama-cpp'` : null),
  transform(code, id) {
    if (id.endsWith(trial)) return { code: 'export const testBindingBinary = async () => true', map: null }
    // A module finds its files by its own place: the one where it is installed.
    return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null }
  },
}

const build = await rolldown({
  cwd: join(import.meta.dirname, '../../..'),
  platform: 'node',
  input: entry,
  external: [/^node:/, /^@node-llama-cpp\//, /^@reflink\//],
  treeshake: { moduleSideEffects: false },
  plugins: [plugin],
})
// Several may make it at a time; nobody reads half of it.
const part = `${file}.${String(process.pid)}`
await build.write({ file: part, comments: false, codeSplitting: false })
renameSync(part, file)

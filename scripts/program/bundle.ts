import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { rolldown, type OutputChunk, type Plugin } from 'rolldown'

const root = join(import.meta.dirname, '../..')

/** The folder that holds all compiled code, in the package and in a checkout. */
export const folder = 'lib'

/** Library that is no part of the package: who wants it adds it. */
const added = 'node-llama-cpp'

/** The name that a file of the checkout has in the folder, where it is started or loaded by its name. */
export const fileNameOf = (file: string): string =>
  `${file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')}.js`

/** What names a file of ours beside the code that loads it: the program of a thread or process, or what is required when it is needed. */
const beside = /(?<loads>new URL\(|createRequire\(import\.meta\.url\)\()'(?<name>\.[^']+\.ts)'/g

/** The place of a module, other than where what it names has come to lie beside it. */
const place = /(?<!'\.\/[^']+\.js', |createRequire\()import\.meta\.url/g

/**
 * A module keeps what it finds by its own place: a file of ours that is loaded by its name is bundled as a file of its own, and any other is looked
 * for from where the module is in the checkout, which the package has in the same place. What is required of a library is bundled, and runs when it
 * is required.
 */
const places: Plugin = {
  name: 'places',
  transform(code, id) {
    const file = relative(root, id)
    if (file.includes('node_modules/') || !code.includes('import.meta.url')) return null
    const changed = code
      .replace('const require = createRequire(import.meta.url)', '')
      .replaceAll(beside, (_, loads: string, name: string) => {
        const found = resolve(dirname(id), name)
        if (!existsSync(found)) throw new Error(`${file} names ${name}, which is not there`)
        const fileName = fileNameOf(relative(root, found))
        this.emitFile({ type: 'chunk', id: found, fileName })
        return `${loads}'./${fileName}'`
      })
      .replaceAll(place, `new URL('../${dirname(file)}/', import.meta.url)`)
    // Each change stays on its line, which is all that a trace names.
    return { code: changed, map: null }
  },
}

/** Code in ASCII alone: one sign beyond Latin-1 doubles the memory that a file takes as long as it is loaded. */
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue
      if (/\\[^\0-\x7f]|String\.raw`[^`]*[^\0-\x7f`]/.test(file.code)) throw new Error(`${file.fileName} has a sign that cannot be escaped`)
      file.code = file.code.replaceAll(/[^\0-\x7f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}

/**
 * Bundles programs and their libraries, with maps to the sources for `node --enable-source-maps` and with the licences of the libraries. A start
 * reads a few files in place of six hundred; what is imported when it is needed stays in files of its own.
 * @param programs files of the checkout that are started by their names
 * @param dir the folder, which lies where the checkout has `src`
 */
export async function bundle(programs: readonly string[], dir: string): Promise<void> {
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input: programs.map((file) => join(root, file)),
    external: [/^node:/, added],
    plugins: [places, ascii],
  })
  const { output } = await build.write({
    dir,
    entryFileNames: ({ facadeModuleId }) => fileNameOf(relative(root, facadeModuleId ?? '')),
    chunkFileNames: '[name].js',
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
    // As though the package had the sources: `src/main.ts`, wherever it was made.
    sourcemapPathTransform: (source, map) => `../${relative(root, resolve(dirname(map), source))}`,
  })
  await build.close()
  const chunks = output.filter((file) => file.type === 'chunk')
  for (const chunk of chunks) refuseMissing(chunk, new Set(chunks.map(({ fileName }) => fileName)))
  writeFileSync(join(dir, 'LICENSES.txt'), licences(chunks))
}

/** @throws Error where a chunk names what the package does not have */
function refuseMissing({ fileName, code, imports, dynamicImports }: OutputChunk, there: ReadonlySet<string>): void {
  // The second form is what a module writes that does not call its function `require`.
  const calls = code.matchAll(/(?:\b__require|createRequire\(import\.meta\.url\))\(["`](?!\.\/)([^"`]+)/g)
  const required = Array.from(calls, ([, name = '']) => name)
  const missing = [...imports, ...dynamicImports, ...required].filter((name) => !there.has(name) && !isBuiltin(name) && name !== added)
  const sources = code.match(/(?<=['"])\.{1,2}\/[^'"\n]+\.ts(?=['"])/g) ?? []
  if (missing.length + sources.length > 0)
    throw new Error(`${fileName} names what the package lacks: ${[...missing, ...sources].join(', ')}`)
}

/** Name, version and licence of each library that has code in the chunks. @throws Error where a library has no licence to carry */
function licences(chunks: readonly OutputChunk[]): string {
  const libraries = new Set(chunks.flatMap(({ moduleIds }) => moduleIds.flatMap((id) => libraryOf(id) ?? [])))
  return [...libraries]
    .sort()
    .map((library) => {
      const { name, version } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as Readonly<Record<string, string>>
      const texts = globSync('{LICENSE,LICENCE,COPYING,NOTICE,license}{,.*,-*}', { cwd: library }).sort()
      if (texts.length === 0) throw new Error(`${library} has no licence that the package could carry`)
      return `${name} ${version}\n\n${texts.map((text) => readFileSync(join(library, text), 'utf8').trim()).join('\n\n')}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** The folder of the library that a module is of. */
const libraryOf = (id: string): string | undefined => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]

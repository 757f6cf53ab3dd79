import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { rolldown, type Plugin } from 'rolldown'

const root = join(import.meta.dirname, '../..')

/** The folder of the package that holds all compiled code. */
const folder = 'lib'

/** Where a file of the checkout that is started or loaded by its name is in the package. */
export const bundled = (file: string): string =>
  `${folder}/${file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')}.js`

/** What names a file of ours beside the code that loads it: the program of a thread or process, or what is required when it is needed. */
const beside = /(?<loads>new URL\(|createRequire\(import\.meta\.url\)\()'(?<name>\.[^']+\.ts)'/g

/**
 * A module keeps what it finds by its own place: a file of ours that is loaded by its name is bundled as a file of its own, and any other is looked
 * for from where the module is in the checkout, which the package has in the same place.
 */
const places: Plugin = {
  name: 'places',
  transform(code, id) {
    const file = relative(root, id)
    if (file.includes('node_modules/') || !code.includes('import.meta.url')) return null
    const named = code.replaceAll(beside, (_, loads: string, name: string) => {
      const found = resolve(dirname(id), name)
      if (!existsSync(found)) throw new Error(`${file} names ${name}, which is not there`)
      const fileName = bundled(relative(root, found)).slice(folder.length + 1)
      this.emitFile({ type: 'chunk', id: found, fileName })
      return `${loads}'./${fileName}'`
    })
    const url = /(?<!'\.\/[^']+\.js', |createRequire\()import\.meta\.url/g
    // Each change stays on its line, which is all that a trace names.
    return { code: named.replaceAll(url, `new URL('../${dirname(file)}/', import.meta.url)`), map: null }
  },
}

/**
 * Bundles our own code into the package at `to`, with maps to the sources for `node --enable-source-maps`. The start reads a few files in place of
 * four hundred; what is imported when it is needed stays in files of its own, and libraries stay in `node_modules`.
 * @param programs files of the checkout that are started by their names
 */
export async function bundle(programs: readonly string[], to: string): Promise<void> {
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input: programs.map((file) => join(root, file)),
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@orchestratord/'),
    plugins: [places],
  })
  const { output } = await build.write({
    dir: join(to, folder),
    entryFileNames: ({ facadeModuleId }) => bundled(relative(root, facadeModuleId ?? '')).slice(folder.length + 1),
    chunkFileNames: '[name].js',
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
  })
  await build.close()
  for (const chunk of output)
    if (chunk.type === 'chunk' && /(['"])\.{1,2}\/[^'"\n]+\.ts\1/.test(chunk.code))
      throw new Error(`${chunk.fileName} names a source, which the package does not have`)
}

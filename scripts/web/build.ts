import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { exchange } from '../program/exchange.ts'

const root = join(import.meta.dirname, '../..')

/** Where the daemon finds the page. */
export const webDist = join(root, 'web/dist')

/** What the page may be in all, compressed with gzip, bytes. */
export const budget_bytes = 100_000

/**
 * Builds the page into `web/dist`, each file beside itself compressed. The folder is exchanged at once, so that two builds side by side do no harm.
 * @throws Error where Vite is not installed or finds one
 */
export async function buildPage(): Promise<void> {
  const { build } = await import('vite')
  const outDir = join(root, `web/dist.${process.pid}`)
  await build({
    root: join(root, 'web'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: ['chrome123', 'firefox120', 'safari17.5'],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  })
  for (const name of globSync('**/*.{html,js,css,svg}', { cwd: outDir })) {
    const file = join(outDir, name)
    const content = readFileSync(file)
    writeFileSync(`${file}.br`, brotliCompressSync(content))
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
  }
  exchange(outDir, webDist)
}

/** The whole page, compressed with gzip, bytes. */
export const pageBytes = (): number =>
  globSync('**/*.gz', { cwd: webDist }).reduce((sum, name) => sum + readFileSync(join(webDist, name)).length, 0)

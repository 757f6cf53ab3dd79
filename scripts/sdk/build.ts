import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '../..')

/** What a page may load of the SDK, gzipped, bytes. */
export const budget_bytes = 15_000

/** Compiles the SDK to modules and declarations in a folder that is made anew. @throws Error where the compiler finds one */
export function buildSdk(target: string): void {
  rmSync(target, { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(root, 'sdk/tsconfig.build.json'), '--outDir', target], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the SDK does not compile:\n${stdout}`)
}

/** The modules of a built SDK with what they import, gzipped as one, bytes. */
export function loadedBytes(target: string): number {
  const modules = globSync('**/*.js', { cwd: target }).sort()
  const texts = [...modules.map((name) => join(target, name)), fileURLToPath(import.meta.resolve('openapi-fetch'))]
  return gzipSync(texts.map((file) => readFileSync(file, 'utf8')).join('\n')).length
}

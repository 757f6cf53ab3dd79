/**
 * `npm run package` makes `dist/package`, which runs without TypeScript and without what only development needs, and packs it for npm;
 * `npm run package -- FOLDER` does so in another folder. Our own code is bundled in `lib`; what it reads is where the
 * checkout has it.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { bundle, bundled } from './package/bundle.ts'
import { librariesOf, packageJson, type Lock, type Manifest } from './package/manifest.ts'

const root = join(import.meta.dirname, '..')
const out = resolve(root, process.argv[2] ?? 'dist')
const to = join(out, 'package')
const { freshPage } = createRequire(import.meta.url)('./web/fresh.cjs') as { freshPage: () => Promise<void> }

const program = 'bin/orchestratord.cjs'

/** Files that are not changed. */
const copied = [
  'generated/*.json',
  'scripts/{require-node,compile-cache}.cjs',
  program,
  'examples/**/*.yaml',
  '{README,CHANGELOG}.md',
  'LICENSE',
  'web/dist/**/*.{html,js,css,br,gz}',
]

const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'))

await freshPage()
rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
const parts: string[] = []
const named = readFileSync(join(root, program), 'utf8').replaceAll(/'\.\.\/([^'\n]+\.ts)'/g, (_, file: string) => {
  parts.push(file)
  return `'../${bundled(file)}'`
})
await bundle(parts, to)
for (const file of globSync(copied, { cwd: root })) cpSync(join(root, file), join(to, file))
writeFileSync(join(to, program), named)
const manifest = packageJson(read('package.json') as Manifest)
writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
const isInside = (from: string) => (file: string) => !file.slice(from.length).includes('/node_modules')
for (const library of librariesOf(manifest, read('package-lock.json') as Lock)) {
  const from = join(root, library)
  // One that is not for this platform is not installed.
  if (existsSync(from)) cpSync(from, join(to, library), { recursive: true, filter: isInside(from) })
}
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: to, encoding: 'utf8' })
console.log(join(out, packed.trim()))

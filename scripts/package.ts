/**
 * `npm run package` makes `dist/package`, which runs without TypeScript and without what only development needs, and packs it for npm;
 * `npm run package -- FOLDER` does so in another folder. The code and its libraries are bundled in `lib`; what they read is
 * where the checkout has it.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { buildProgram } from './program/build.ts'

const root = join(import.meta.dirname, '..')
const out = resolve(root, process.argv[2] ?? 'dist')
const to = join(out, 'package')
const { freshPage } = createRequire(import.meta.url)('./fresh.cjs') as { freshPage: () => Promise<void> }

/** Files that are not changed. */
const copied = [
  'generated/*.json',
  'scripts/{require-node,compile-cache}.cjs',
  'examples/**/*.yaml',
  '{README,CHANGELOG}.md',
  'LICENSE',
  'web/dist/**/*.{html,js,css,br,gz}',
]

/** What the package's `package.json` has of the checkout's: it needs Node and nothing else, for the libraries are in the code. */
type Manifest = Readonly<Record<'name' | 'version' | 'description' | 'license' | 'type' | 'engines', unknown>>

await freshPage()
rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
await buildProgram(to)
for (const file of globSync(copied, { cwd: root })) cpSync(join(root, file), join(to, file))
const { name, version, description, license, type, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const bin = { orchestratord: 'lib/orchestratord.cjs' }
writeFileSync(join(to, 'package.json'), `${JSON.stringify({ name, version, description, license, type, bin, engines }, null, 2)}\n`)
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: to, encoding: 'utf8' })
console.log(join(out, packed.trim()))

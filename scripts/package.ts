/**
 * `npm run package` makes `dist/package`, which runs without TypeScript and without what only development needs, and packs it for npm;
 * `npm run package -- FOLDER` does so in another folder. The layout is the checkout's, so that what is found beside a file is found there, too.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { librariesOf, packageJson, type Lock, type Manifest } from './package/manifest.ts'

const root = join(import.meta.dirname, '..')
const out = resolve(root, process.argv[2] ?? 'dist')
const to = join(out, 'package')
const { freshPage } = createRequire(import.meta.url)('./web/fresh.cjs') as { freshPage: () => Promise<void> }

/** Files that are neither compiled nor changed. */
const copied = [
  'src/**/*.json',
  'generated/*.{js,json}',
  'scripts/{require-node,compile-cache}.cjs',
  'bin/*.cjs',
  'examples/**/*.yaml',
  '{README,CHANGELOG}.md',
  'LICENSE',
  'web/dist/**/*.{html,js,css,br,gz}',
]

const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'))

/** Names of files that are no import: the compiler leaves them as they are. */
function renameSources(file: string): void {
  const text = readFileSync(file, 'utf8')
  const renamed = text.replaceAll(/(['"])(\.{1,2}\/[^'"\n]+)\.ts\1/g, (_, quote: string, name: string) => {
    if (!existsSync(join(dirname(file), `${name}.js`))) throw new Error(`${file} names ${name}.ts, which is not compiled`)
    return `${quote}${name}.js${quote}`
  })
  if (renamed !== text) writeFileSync(file, renamed)
}

await freshPage()
rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.package.json', '--outDir', to], {
  cwd: root,
  stdio: 'inherit',
})
for (const file of globSync(copied, { cwd: root })) cpSync(join(root, file), join(to, file))
for (const file of globSync(['{src,cli,sdk}/**/*.js', 'bin/*.cjs'], { cwd: to })) renameSources(join(to, file))
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

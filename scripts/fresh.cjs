'use strict'
const { readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')

// CommonJS on purpose: a TypeScript file that is not in the cache yet would bring the whole compiler into each start.
const root = join(__dirname, '..')

/** When a file, or a folder with all that it has, was written last, ms since 1970; 0 where there is none. */
function writtenAt(path) {
  const found = statSync(join(root, path), { throwIfNoEntry: false })
  const names = found?.isDirectory() ? readdirSync(join(root, path)) : []
  return names.reduce((latest, name) => Math.max(latest, writtenAt(join(path, name))), found?.mtimeMs ?? 0)
}

/** Whether a library is installed that only who develops has. */
function has(library) {
  try {
    require.resolve(`${library}/package.json`)
    return true
  } catch {
    return false
  }
}

/** Whether what was made is older than what it is made of. */
function isStale(made, sources) {
  const at = writtenAt(made)
  return sources.some((path) => writtenAt(path) > at)
}

/** Builds the page where it is stale and Vite is there. Rejects where it cannot be built. */
exports.freshPage = async () => {
  const sources = ['web/src', 'sdk/src', 'sdk/generated', 'web/index.html', 'scripts/web/build.ts']
  if (isStale('web/dist/index.html', sources) && has('vite')) await (await import('./web/build.ts')).buildPage()
}

const buildProgram = async () => (await import('./program/build.ts')).buildProgram(root)

/** The build that is under way: mocha evaluates a test file twice, and two builds of one process would write into one folder. */
let building

/** The bundled program, which starts in half the time; built where it is stale. Rejects where it cannot be built. */
exports.freshProgram = async () => {
  const program = 'lib/orchestratord.cjs'
  const sources = ['src', 'cli', 'generated', 'bin', 'scripts/program', 'node_modules/.package-lock.json']
  if (isStale(program, sources)) building ??= buildProgram().finally(() => (building = undefined))
  await building
  return join(root, program)
}

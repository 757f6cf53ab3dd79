'use strict'
const { readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')

// CommonJS on purpose: a TypeScript file that is not in the cache yet would bring the whole compiler into each start.
const root = join(__dirname, '../..')
const folders = ['web/src', 'sdk/src', 'sdk/generated']
const files = ['web/index.html', 'scripts/web/build.ts']

/** When a file was written, ms since 1970; 0 where there is none. */
const writtenAt = (file) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whether the page is not built, or from older sources than there are. */
function pageIsStale() {
  const built = writtenAt('web/dist/index.html')
  const inFolders = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
  return [...files, ...inFolders].some((file) => writtenAt(file) > built)
}

/** Whether Vite is installed, which only who develops has. */
function canBuild() {
  try {
    require.resolve('vite/package.json')
    return true
  } catch {
    return false
  }
}

/** Builds the page where it is stale and Vite is there. Rejects where it cannot be built. */
exports.freshPage = async () => {
  if (pageIsStale() && canBuild()) await (await import('./build.ts')).buildPage()
}

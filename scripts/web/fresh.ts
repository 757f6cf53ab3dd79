import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const folders = ['web/src', 'sdk/src', 'sdk/generated']
const files = ['web/index.html', 'scripts/web/build.ts']

/** When a file was written, ms since 1970; 0 where there is none. */
const writtenAt = (file: string): number => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whether the page is not built, or from older sources than there are. */
export function pageIsStale(): boolean {
  const built = writtenAt('web/dist/index.html')
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  return [...files, ...inFolders].some((file) => writtenAt(file) > built)
}

/** Builds the page where it is stale and Vite is there. @throws Error where it cannot be built */
export async function freshPage(): Promise<void> {
  if (!pageIsStale()) return
  try {
    import.meta.resolve('vite')
  } catch {
    // Only who develops has it; without a page `/` says what builds it.
    return
  }
  await (await import('./build.ts')).buildPage()
}

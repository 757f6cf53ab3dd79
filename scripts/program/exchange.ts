import { renameSync, rmSync } from 'node:fs'

/** What file systems say where there is a folder already that has something in it, and where there is none. */
const taken = ['ENOTEMPTY', 'EEXIST', 'EPERM']
const missing = ['ENOENT']

/**
 * Puts a folder that was made beside it in the place of another, which whoever reads it misses for no longer than a renaming takes; of several that do
 * so at a time the last one stays.
 * @throws Error of the file system
 */
export function exchange(made: string, place: string): void {
  const aside: string[] = []
  while (!moved(made, place, taken)) {
    if (aside.length === 100) throw new Error(`${place} cannot be exchanged: it is there again each time`)
    const before = `${made}.${aside.length}`
    aside.push(before)
    moved(place, before, missing)
  }
  for (const folder of aside) rmSync(folder, { recursive: true, force: true })
}

/** Moves a folder. Returns whether it could, where the reason is one of these. */
function moved(from: string, to: string, reasons: readonly string[]): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && reasons.includes(String(error.code))) return false
    throw error
  }
}

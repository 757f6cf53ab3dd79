import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What does not match in the folders that hold nothing but generated files: files that are missing or say something else, then those that nothing
 * generates any more. Paths are relative to `root`, with slashes.
 */
export function driftOf(root: string, folders: readonly string[], files: ReadonlyMap<string, string>): string[] {
  const stale = [...files].filter(([name, text]) => {
    const path = join(root, name)
    return !existsSync(path) || readFileSync(path, 'utf8') !== text
  })
  const present = folders.flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [],
  )
  return [...stale.map(([name]) => name), ...present.sort().filter((name) => !files.has(name))]
}

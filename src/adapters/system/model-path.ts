import { realpathSync, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'

/**
 * Path of a `file:` model: below `models_dir`, for which a leading `models/` stands. Symbolic links may not lead out of it.
 * @throws Error saying why there is no such model; without the path of models_dir, for clients are told
 */
export function modelPath(reference: string, models_dir: string): string {
  const relative = reference.replace(/^file:/, '').replace(/^(\.\/)?models\//, '')
  const wanted = resolve(models_dir, relative)
  const path = real(wanted)
  if (path === undefined || !statSync(path).isFile()) throw new Error(`there is no file ${relative} below models_dir`)
  const root = real(resolve(models_dir)) ?? models_dir
  if (!path.startsWith(root + sep)) throw new Error(`${relative} is not below models_dir`)
  return path
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  }
}

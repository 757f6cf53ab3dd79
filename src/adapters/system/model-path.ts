import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'

/**
 * Path of a `file:` model: below `models_dir`, for which a leading `models/` stands. Symbolic links may not lead out of it. It is walked step
 * by step, so that nothing is learned of what lies behind one that does.
 * @throws Error saying why there is no such model; without the path of models_dir, for clients are told
 */
export function modelPath(reference: string, models_dir: string): string {
  const name = reference.replace(/^file:/, '').replace(/^(\.\/)?models\//, '')
  const wanted = relative(models_dir, resolve(models_dir, name))
  const steps = wanted.split(sep)
  if (steps[0] === '..' || isAbsolute(wanted)) throw new Error(`${name} is not below models_dir`)
  try {
    const root = realpathSync(resolve(models_dir))
    const below = root.endsWith(sep) ? root : root + sep
    let path = root
    for (const step of steps) {
      path = realpathSync(join(path, step))
      if (path !== root && !path.startsWith(below)) throw new OutsideError(`${name} is not below models_dir`)
    }
    if (statSync(path).isFile()) return path
  } catch (cause) {
    if (cause instanceof OutsideError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error'
    if (!missing.includes(code)) throw new Error(`${name} below models_dir cannot be read (${code})`, { cause })
  }
  throw new Error(`there is no file ${name} below models_dir`)
}

class OutsideError extends Error {}

/** Codes of failed system calls that say that there is no such file. */
const missing = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']

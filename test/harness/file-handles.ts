import { open, type FileHandle } from 'node:fs/promises'

type Method = 'write' | 'sync'
type Real = (...given: unknown[]) => Promise<unknown>

/**
 * All open files do this in place of a method from now on, until the returned function is called.
 * @param call gets the file, the real method for it, and what the method was given, which may be changed
 */
export async function patchFiles(
  method: Method,
  call: (file: FileHandle, real: () => Promise<unknown>, given: unknown[]) => Promise<unknown>,
): Promise<() => void> {
  const probe = await open('/dev/null')
  const all = Object.getPrototypeOf(probe) as Record<Method, Real>
  await probe.close()
  const was = all[method]
  all[method] = function (this: FileHandle, ...given) {
    return call(this, () => Reflect.apply(was, this, given), given)
  }
  return () => {
    all[method] = was
  }
}

/** A disk that is full once this process has written about so much into files, in bytes. Returns how to make room. */
export function fullAfter(bytes: number): Promise<() => void> {
  let written = 0
  return patchFiles('write', (_file, write, [, , length]) => {
    if (written > bytes) return Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    written += Number(length)
    return write()
  })
}

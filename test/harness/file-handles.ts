import { open, type FileHandle } from 'node:fs/promises'

/** Files whose methods are others from now on, until the returned function is called. @param methods made of the real ones */
export async function patchFiles(methods: (real: FileHandle) => Partial<FileHandle>): Promise<() => void> {
  const probe = await open('/dev/null')
  const all = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  const real = Object.create(all, Object.getOwnPropertyDescriptors(all)) as FileHandle
  Object.assign(all, methods(real))
  return () => void Object.assign(all, { write: real.write, sync: real.sync })
}

/** A disk that is full once this process has written about so much into files, in bytes. Returns how to make room. */
export function fullAfter(bytes: number): Promise<() => void> {
  let written = 0
  return patchFiles(({ write }) => {
    const limited = function (this: FileHandle, ...given: unknown[]): unknown {
      if (written > bytes) return Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
      written += Number(given[2])
      return Reflect.apply(write, this, given)
    }
    return { write: limited as FileHandle['write'] }
  })
}

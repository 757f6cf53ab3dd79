/** CPU time of this thread that went into some methods. */
export interface OwnCpu {
  /** Microseconds since it was asked last. What is collected of garbage falls to whoever is about to make some. */
  readonly take: () => number
}

type Method = (...args: unknown[]) => unknown

/** CPU time of this thread so far, microseconds. Linux adds up what a thread has run since the last tick only where the whole process is asked for. */
function threadMicros(): number {
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/**
 * Counts the CPU time of the main thread that these methods take, and all that they call: beside it the machine's other work, and that of this
 * process, makes no difference. Private ones are known by their names only.
 * @throws Error where there is no such method
 */
export function ownCpu(methods: readonly (readonly [prototype: object, ...names: string[]])[]): OwnCpu {
  let [micros, within] = [0, false]
  const counted = (method: Method): Method =>
    function (this: unknown, ...args: unknown[]): unknown {
      if (within) return method.apply(this, args)
      within = true
      const before = threadMicros()
      try {
        return method.apply(this, args)
      } finally {
        within = false
        micros += threadMicros() - before
      }
    }
  for (const [prototype, ...names] of methods)
    for (const name of names) {
      const method: unknown = Reflect.get(prototype, name)
      if (typeof method !== 'function') throw new Error(`there is no method ${name}`)
      Object.defineProperty(prototype, name, { value: counted(method as Method), configurable: true, writable: true })
    }
  return {
    take: () => {
      const taken = micros
      micros = 0
      return taken
    },
  }
}

/** Something to wait for. */
export interface Gate {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

/** A gate that is closed until `resolve` is called. */
export function newGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  return {
    promise,
    resolve: () => {
      resolve(undefined)
    },
  }
}

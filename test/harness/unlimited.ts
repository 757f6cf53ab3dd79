const nothing = (): void => undefined

/** Everybody may create whatever they like, and as many sessions. */
export const unlimited = {
  creation: { countRequest: nothing, checkRoom: nothing, checkDisk: nothing },
  mostOf: () => Infinity,
}

/** What became of a newcomer. `displaced` is the task that has to make room. */
export type Admission<T> =
  | { readonly admitted: true; readonly displaced?: T }
  | { readonly admitted: false; readonly reason: 'queue_full' | 'nothing_to_drop' }

/** There is room. */
export const admitted = { admitted: true } as const
/** There is none, and nothing makes any. */
export const queueFull = { admitted: false, reason: 'queue_full' } as const
/** There is none, and nothing that is there may be displaced by the newcomer. */
export const nothingToDrop = { admitted: false, reason: 'nothing_to_drop' } as const

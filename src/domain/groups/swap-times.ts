/** How long a model takes to come and to go, ms. */
export interface SwapTimes {
  readonly load_ms: number
  readonly unload_ms: number
}

/** Believed of a model that was never loaded, ms. */
const unseen: SwapTimes = { load_ms: 10_000, unload_ms: 1000 }

/** Weight of the newest observation. */
const newest = 0.3

/** What is believed where this was seen. */
export const believed = (seen: Partial<SwapTimes>): SwapTimes => ({ ...unseen, ...seen })

/** What was seen, with one more observation; the first stands for itself. */
export function learned(seen: Partial<SwapTimes>, kind: keyof SwapTimes, took_ms: number): Partial<SwapTimes> {
  const before = seen[kind]
  return { ...seen, [kind]: before === undefined ? took_ms : before + newest * (took_ms - before) }
}

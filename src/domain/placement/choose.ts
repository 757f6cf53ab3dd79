/** What is known of a replica that could take a task. */
export interface Seat {
  /** Tasks it runs now. */
  readonly busy: number
  /** Free memory of its devices, bytes; undefined where nobody tells. */
  readonly free_vram_bytes: number | undefined
}

/** How much busier than the idlest replica one may be that is chosen, tasks. */
const most_busier = 1
/** Differences in free memory below this are noise, bytes. */
const vram_step = 2 ** 30

/**
 * The replica that takes a task, none of them more than one task busier than the idlest: the warmest; among equals the one with most free
 * memory (where all tell theirs, in steps of a GiB), then with the fewest busy slots, then the first. O(replicas), `warmth` called once each.
 * @param able those that can take it now, in the order of the configuration
 * @param warmth how warm one is for the task, 0 where it is not
 */
export function choose<S extends Seat>(able: readonly S[], warmth: (seat: S) => number): S | undefined {
  let idlest = Infinity
  let allTell = true
  for (const { busy, free_vram_bytes } of able) {
    idlest = Math.min(idlest, busy)
    allTell &&= free_vram_bytes !== undefined
  }
  let best: S | undefined
  let bestMerit: readonly number[] = []
  for (const seat of able) {
    if (seat.busy > idlest + most_busier) continue
    const merit = [warmth(seat), allTell ? Math.floor((seat.free_vram_bytes ?? 0) / vram_step) : 0, -seat.busy]
    if (best !== undefined && !exceeds(merit, bestMerit)) continue
    best = seat
    bestMerit = merit
  }
  return best
}

/** By the first that differs. */
function exceeds(merit: readonly number[], other: readonly number[]): boolean {
  for (let i = 0; i < merit.length; i++) {
    const [mine = 0, theirs = 0] = [merit[i], other[i]]
    if (mine !== theirs) return mine > theirs
  }
  return false
}

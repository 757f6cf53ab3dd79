/** A moment that is off by less is counted down as it is, ms and share of the time until then. */
const off_ms = 1000
const off_share = 0.05

/** Whether an expected moment is another than what counting down the one before has come to. On the daemon's clock, ms. */
export function shifted(before: number | undefined, moment: number | undefined, now: number): boolean {
  if (before === undefined || moment === undefined) return before !== moment
  const left = Math.max(0, before - now)
  return Math.abs(Math.max(0, moment - now) - left) > Math.max(off_ms, off_share * left)
}

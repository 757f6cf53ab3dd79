import { signal } from '@preact/signals'

/** How far the daemon's clock is ahead of this one, ms. */
let ahead = 0

/** The daemon's time, ms since 1970; moves once a second. */
export const now = signal(Date.now())

/** The daemon's time at this moment. */
export const daemonTime = (): number => Date.now() + ahead

/** Takes the daemon's time from an event that has just come. What a slow network adds is below what is shown. */
export function setDaemonTime(at: number): void {
  if (Math.abs(daemonTime() - at) < 500) return
  ahead = at - Date.now()
  now.value = at
}

/** Lets the page's time go on. */
export const startClock = (): void =>
  void setInterval(() => {
    now.value = daemonTime()
  }, 1000)

/** One accelerator as it was a moment ago. What its driver does not tell is left out. */
export interface DeviceReading {
  /** As in a replica's `devices`. */
  readonly index: number
  /** Share of the time it was busy, 0 to 1. */
  readonly utilization?: number
  /** Memory in use by anybody, bytes. */
  readonly used_bytes?: number
}

/** Looks at the accelerators of this machine. */
export interface DeviceProbe {
  /** Every device there is. Rejects where nothing can be learned; the message says why, in one line. */
  read(): Promise<readonly DeviceReading[]>
}

/** One accelerator as it was a moment ago. What its driver does not tell is left out. */
export interface DeviceReading {
  /** As in a replica's `devices`. */
  readonly index: number
  /** What its driver calls it. */
  readonly name?: string
  /** Share of the time it was busy, 0 to 1. */
  readonly utilization?: number
  /** Memory in use by anybody, bytes. */
  readonly used_bytes?: number
  /** Memory in use by nobody, bytes. */
  readonly free_bytes?: number
  /** What is wrong with it, in the words of its driver: nothing can run on it. */
  readonly fault?: string
}

/** The driver cannot be used, or one device so badly that nothing is known of the others. */
export class DriverError extends Error {
  override readonly name = 'DriverError'
  /** Undefined where it is about all of them. */
  readonly device: number | undefined
  constructor(message: string, device: number | undefined, cause: unknown) {
    super(message, { cause })
    this.device = device
  }
}

/** Looks at the accelerators of this machine. */
export interface DeviceProbe {
  /**
   * Every device there is. Rejects where nothing can be learned; the message says why, in one line.
   * @throws DriverError where that is because they cannot be used
   */
  read(): Promise<readonly DeviceReading[]>
}

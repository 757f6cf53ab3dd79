/** The accelerators of this machine that replicas name were looked at. @see DeviceReading */
export interface DevicesSeen {
  readonly type: 'devices_seen'
  readonly devices: readonly DeviceSeen[]
}

/** One of them. What its driver does not tell is left out. */
export interface DeviceSeen {
  readonly index: number
  /** What its driver calls it. */
  readonly name?: string
  /** Share of the time it was busy, 0 to 1. */
  readonly utilization?: number
  readonly used_bytes?: number
  readonly free_bytes?: number
  /** What is wrong with it. */
  readonly fault?: string
}

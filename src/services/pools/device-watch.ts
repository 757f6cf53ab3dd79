import { isLoopbackAddress } from '../../domain/loopback.ts'
import { DriverError, type DeviceReading } from '../../ports/device-probe.ts'
import type { Pool } from './pool.ts'
import type { Replica } from './replica.ts'

/** A replica on this machine's devices. */
export type LocalReplica = Pick<Replica, 'id' | 'devices' | 'free_vram_bytes' | 'setTrouble'>

/** Whether a replica runs on this machine: what its devices do elsewhere cannot be seen. */
export function isHere({ config }: Pick<Pool, 'config'>, { id }: Pick<Replica, 'id'>): boolean {
  const url = config.replicas.find((replica) => replica.id === id)?.url ?? ('url' in config ? config.url : undefined)
  if (url === undefined) return true
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || isLoopbackAddress(host)
}

/** Tells replicas what became of their devices: which cannot be used, and how much memory is free. */
export class DeviceWatch {
  /** Devices that were there once: one that is not any more has gone. */
  private readonly seen = new Set<number>()
  /** What is wrong, by device. */
  private readonly faults = new Map<number, string>()
  /** What is wrong with all of them. */
  private outage: string | undefined

  /** The devices were looked at. */
  saw(readings: ReadonlyMap<number, DeviceReading>): void {
    this.outage = undefined
    this.faults.clear()
    for (const { index, fault } of readings.values()) {
      this.seen.add(index)
      if (fault !== undefined) this.faults.set(index, `device ${index} cannot be used: ${fault}`)
    }
    for (const index of this.seen)
      if (!readings.has(index)) this.faults.set(index, `device ${index} cannot be used: its driver does not list it any more`)
  }

  /** They could not be looked at. What is known of them stays as it is, unless that was why. */
  failed(error: unknown): void {
    if (!(error instanceof DriverError)) return
    if (error.device === undefined) this.outage = `its devices cannot be used: ${error.message}`
    else this.faults.set(error.device, `device ${error.device} cannot be used: ${error.message}`)
  }

  /** Tells a replica. @param readings empty where they could not be looked at */
  tell(replica: LocalReplica, readings: ReadonlyMap<number, DeviceReading>): void {
    if (replica.devices.length === 0) return
    const free = replica.devices.map((device) => readings.get(device)?.free_bytes)
    // One that runs on several is as full as the fullest.
    const least = free.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b)))
    replica.free_vram_bytes = least
    replica.setTrouble(this.outage ?? replica.devices.map((device) => this.faults.get(device)).find((fault) => fault !== undefined))
  }
}

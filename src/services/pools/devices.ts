import type { EventSink } from '../../domain/daemon-events.ts'
import type { MetricLabels } from '../../../generated/metrics.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { DeviceProbe, DeviceReading } from '../../ports/device-probe.ts'
import type { Metrics } from '../../ports/telemetry.ts'
import { DeviceWatch, isHere } from './device-watch.ts'
import type { Pools } from './pools.ts'
import type { Replica } from './replica.ts'

type DeviceGauge = 'gpu_utilization' | 'vram_used_bytes'
type ReplicaLabels = MetricLabels['kv_cache_usage_ratio']

/** What the latest look put into the registry and how to take it away again. */
type Samples = Map<string, () => void>

/** Longest time the probe is waited for, ms. It gives up by itself before, but for a process that cannot even be killed. */
const patience_ms = 15_000
const hangs = `no answer for ${patience_ms / 1000} s: what is asked hangs, as where a driver does`

/** What the look at devices works with. */
export interface DevicesParts {
  readonly probe: DeviceProbe
  readonly pools: Pick<Pools, 'all'>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly events: EventSink
}

/** Looks at the devices and KV caches of the replicas now and then: reports them as metrics, and tells the replicas. */
export class Devices {
  private readonly parts: DevicesParts
  private readonly watch = new DeviceWatch()
  private samples: Samples = new Map()
  /** Why the probe failed last; undefined while it works. */
  private trouble: string | undefined
  /** While the probe is asked: since when, by the daemon's clock. */
  private asked_at: number | undefined

  constructor(parts: DevicesParts) {
    this.parts = parts
  }

  /** Looks now and every `every_ms` from now on. Returns how to stop. */
  start(every_ms: number): CancelTimer {
    void this.look()
    return this.parts.clock.every(every_ms, () => void this.look())
  }

  /** One look. A probe that takes longer than a period is not asked a second time. */
  private async look(): Promise<void> {
    const { asked_at } = this
    if (asked_at === undefined) this.report(await this.read())
    else if (this.parts.clock.now() - asked_at >= patience_ms) this.report(this.failed(new Error(hangs)))
  }

  /** A sample that nothing stands behind any more is taken away, for an old number is a wrong one. */
  private report(readings: ReadonlyMap<number, DeviceReading>): void {
    const samples: Samples = new Map()
    for (const pool of this.parts.pools.all())
      for (const replica of pool.replicas) {
        const labels = { ...pool.labels, replica_id: replica.id }
        this.reportKv(samples, labels, replica)
        if (!isHere(pool, replica)) continue
        this.watch.tell(replica, readings)
        for (const device of replica.devices) this.reportDevice(samples, labels, readings.get(device))
      }
    for (const [id, forget] of this.samples) if (!samples.has(id)) forget()
    this.samples = samples
  }

  /** Nothing is asked where no replica names a device of this machine. */
  private async read(): Promise<ReadonlyMap<number, DeviceReading>> {
    const named = this.parts.pools.all().some((pool) => pool.replicas.some((one) => one.devices.length > 0 && isHere(pool, one)))
    if (!named) return new Map()
    this.asked_at = this.parts.clock.now()
    try {
      const found = await this.parts.probe.read()
      const readings = new Map(found.map((reading) => [reading.index, reading]))
      this.watch.saw(readings)
      if (this.trouble !== undefined) this.tell('info', 'The devices can be seen again.')
      this.trouble = undefined
      this.parts.events.emit({ type: 'devices_seen', devices: found })
      return readings
    } catch (error) {
      return this.failed(error)
    } finally {
      this.asked_at = undefined
    }
  }

  private failed(error: unknown): ReadonlyMap<number, DeviceReading> {
    this.watch.failed(error)
    const trouble = error instanceof Error ? error.message : String(error)
    if (trouble !== this.trouble) this.tell('warn', 'The devices cannot be seen: there are no device metrics.', { error: trouble })
    this.trouble = trouble
    this.parts.events.emit({ type: 'devices_seen', devices: [] })
    return new Map()
  }

  private reportKv(samples: Samples, labels: ReplicaLabels, { state, engine }: Replica): void {
    const usage = state === 'ready' ? engine.kvUsage?.() : undefined
    if (usage === undefined) return
    this.parts.metrics.gauge('kv_cache_usage_ratio', labels, usage)
    samples.set(`kv ${JSON.stringify(labels)}`, () => this.parts.metrics.forget('kv_cache_usage_ratio', labels))
  }

  private reportDevice(samples: Samples, replica: ReplicaLabels, reading: DeviceReading | undefined): void {
    if (reading === undefined) return
    const labels = { ...replica, device: String(reading.index) }
    const report = (name: DeviceGauge, value: number | undefined): void => {
      if (value === undefined) return
      this.parts.metrics.gauge(name, labels, value)
      samples.set(`${name} ${JSON.stringify(labels)}`, () => this.parts.metrics.forget(name, labels))
    }
    report('gpu_utilization', reading.utilization)
    report('vram_used_bytes', reading.used_bytes)
  }

  private tell(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.parts.events.emit({ type: 'notice', level, event: 'devices', message, fields })
  }
}

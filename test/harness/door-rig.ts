import type { AddressInfo } from 'node:net'
import { createPrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { httpOf } from '../../src/compose/http.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { silentLog } from './daemon.ts'
import { startRig, type Rig, type RigOptions } from './rig.ts'

/** A door over real HTTP, on an engine and a clock that the test owns. */
export interface DoorRig extends Rig {
  /** Posts to a path of the door. */
  post(path: string, body: object, signal?: AbortSignal): Promise<Response>
  get(path: string): Promise<Response>
  close(): Promise<void>
}

/** Starts the core of the daemon and its HTTP side on a loopback port of its own. */
export async function startDoorRig(options: RigOptions = {}): Promise<DoorRig> {
  const rig = await startRig(options)
  await rig.starting
  const config = checkConfig({ listen: '127.0.0.1:0' })
  const metrics = createPrometheusMetrics(false)
  const app = httpOf({ config, services: rig, isReady: () => true, metrics, clock: rig.clock, log: silentLog, strict: true })
  const server = serverOf(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const headers = { Authorization: 'Bearer valid', 'Content-Type': 'application/json' }
  return {
    ...rig,
    post: (path, body, signal) =>
      fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) }),
    get: (path) => fetch(`${url}${path}`, { headers }),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rig.stop()
    },
  }
}

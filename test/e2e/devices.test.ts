import type { Log } from '../../src/ports/telemetry.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { mockPool, silentLog, startDaemon } from '../harness/daemon.ts'
import { newGate } from '../harness/gate.ts'
import { inTime } from '../harness/wait.ts'

describe('the devices of replicas', () => {
  it('are looked at while a pool is still loading', async () => {
    const clock = new FakeClock()
    const looked = newGate()
    const log: Log = { ...silentLog, warn: ({ event }) => event === 'devices' && looked.resolve() }
    const pools = [
      mockPool({ replicas: [{ id: 'r0', slots: 4, devices: [0] }] }),
      mockPool({ id: 'late', model: 'mock:late', mock: { load_ms: 60_000 } }),
    ]
    const starting = startDaemon({ devices: { nvidia_smi: '/nowhere/nvidia-smi' }, pools }, { clock, log })
    await inTime(looked.promise, 'the devices to be looked at')
    await clock.advance(60_000)
    const daemon = await inTime(starting, 'the late pool')
    await daemon.stop()
  })
})

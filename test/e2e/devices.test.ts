import { FakeClock } from '../harness/fake-clock.ts'
import { mockPool, silentLog, startDaemon } from '../harness/daemon.ts'
import { inTime } from '../harness/wait.ts'

describe('the devices of replicas', () => {
  it('are looked at while a pool is still loading', async () => {
    const clock = new FakeClock()
    const looked = Promise.withResolvers<void>()
    const log = { ...silentLog, warn: ({ event }: { readonly event?: unknown }) => void (event === 'devices' && looked.resolve()) }
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

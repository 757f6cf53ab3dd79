import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { temporaryDir } from '../harness/process.ts'
import { BatchClient, lineOf } from './batches.kit.ts'

describe('the completion window of a batch', () => {
  it('closes on what is not answered by then, also while the daemon is down', async () => {
    const dir = temporaryDir()
    const clock = new FakeClock()
    const config = { data_dir: dir.path, pools: [mockPool({ model: 'mock:slow', id: 'slow', mock: { token_ms: 60_000 } })] }
    let daemon = await startDaemon(config, { clock })
    const client = new BatchClient(() => daemon.url, keys.data)
    try {
      const { id } = await client.create(Array.from({ length: 40 }, (_, n) => lineOf(n, { model: 'mock:slow' })))
      await client.when(id, ({ status }) => status === 'in_progress')
      await daemon.stop()
      daemon = await startDaemon(config, { clock: new FakeClock(clock.now() + 86_400_001) })
      const batch = await client.over(id)
      assert.deepEqual([batch.status, batch.request_counts], ['expired', { total: 40, completed: 0, failed: 40 }])
      const failures = await client.content(batch.error_file_id)
      assert.deepEqual(
        failures.map(({ error }) => error?.code),
        Array.from({ length: 40 }, () => 'batch_expired'),
      )
    } finally {
      await daemon.stop()
      dir.remove()
    }
  })

  for (const step of [-3_600_000, 3 * 3_600_000])
    it(`closes by the machine's clock, also where that was set by ${step} ms before`, async () => {
      const dir = temporaryDir()
      const clock = new FakeClock()
      clock.stepped_ms = step
      const config = { data_dir: dir.path, pools: [mockPool({ model: 'mock:slow', id: 'slow', mock: { token_ms: 60_000 } })] }
      let daemon = await startDaemon(config, { clock })
      const client = new BatchClient(() => daemon.url, keys.data)
      try {
        const { id } = await client.create([lineOf(0, { model: 'mock:slow' })])
        const { created_at, expires_at, in_progress_at } = await client.when(id, ({ status }) => status === 'in_progress')
        const now = Math.floor(clock.wallOf(clock.now()) / 1000)
        assert.deepEqual([created_at, in_progress_at, expires_at], [now, now, now + 86_400])
        await daemon.stop()
        daemon = await startDaemon(config, { clock: new FakeClock(clock.wallOf(clock.now()) + 86_400_000) })
        assert.equal((await client.over(id)).status, 'expired')
      } finally {
        await daemon.stop()
        dir.remove()
      }
    })
})

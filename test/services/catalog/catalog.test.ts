import assert from 'node:assert/strict'
import { StorageError } from '../../../src/ports/journal.ts'
import { FetchError } from '../../../src/ports/model-source.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { CatalogBench as Bench, file, local, remote } from './catalog.kit.ts'

describe('catalog service', () => {
  let bench: Bench
  beforeEach(() => {
    bench = new Bench()
  })

  it('serves a model only after its first verification, which it waits for', async () => {
    const gate = Promise.withResolvers<undefined>()
    bench.reading = gate.promise
    await bench.catalog.create(local())
    const served = bench.catalog.resolve('m')
    await bench.idle()
    assert.equal(bench.catalog.get('m').verification?.status, 'running')
    gate.resolve(undefined)
    assert.equal(await served, '/models/model.gguf')
  })

  it('does not serve a model deleted while it was waited for', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    bench.reading = promise
    await bench.catalog.create(local())
    const refused = assert.rejects(bench.catalog.resolve('m'), /is not verified yet/)
    await bench.idle()
    const deleted = bench.catalog.delete('m')
    resolve(undefined)
    await Promise.all([deleted, refused])
    assert.deepEqual([...bench.store.keys()], [])
  })

  it('tells the pools to unload a model that fails and to load it when it passes again', async () => {
    await bench.start()
    await bench.created(local())
    bench.used = true
    bench.calls.length = 0
    bench.disk.set('model.gguf', { digest: `sha256:${'0'.repeat(64)}`, stamp: '2' })
    await bench.catalog.verify('m')
    await bench.idle()
    bench.disk.set('model.gguf', { digest: file.digest, stamp: '3' })
    await bench.catalog.verify('m')
    await bench.idle()
    assert.deepEqual(
      bench.calls.filter((call) => !call.startsWith('remove')),
      [
        'catalog_verifications_total fail digest_mismatch llamacpp',
        'unload catalog:m 60000',
        'catalog_verifications_total pass none llamacpp',
        'load catalog:m',
      ],
    )
  })

  it('leaves the pools of a model alone whose files cannot be read, which says nothing about it', async () => {
    await bench.start()
    await bench.created(local())
    bench.used = true
    bench.calls.length = 0
    bench.unreadable = true
    await bench.catalog.verify('m')
    await bench.idle()
    assert.deepEqual(bench.calls, ['catalog_verifications_total fail io_error llamacpp'])
  })

  it('refuses a model that failed even where that cannot be written down, and verifies it again at the next start', async () => {
    await bench.created(local())
    bench.disk.set('model.gguf', { digest: `sha256:${'0'.repeat(64)}`, stamp: '2' })
    const gate = Promise.withResolvers<undefined>()
    bench.reading = gate.promise
    await bench.catalog.verify('m')
    bench.broken = true
    gate.resolve(undefined)
    await bench.idle()
    assert.throws(() => bench.catalog.checkModel('catalog:m'), /digest_mismatch/)
    assert.equal(bench.store.get('m')?.verification?.status, 'running')
    const next = new Bench()
    next.store.set('m', bench.store.get('m')!)
    await next.start()
    await next.idle()
    assert.equal(next.catalog.get('m').verification?.status, 'pass')
    assert.ok(next.calls.includes('remove orphan'))
  })

  it('writes changes that come together one after another, and loses none', async () => {
    await bench.created(local())
    await Promise.all([bench.catalog.verify('m'), bench.catalog.setState('m', 'Retired', 5), bench.catalog.verify('m')])
    await bench.idle()
    const { state, verification } = bench.store.get('m') ?? assert.fail()
    assert.deepEqual([state, verification?.status], ['Retired', 'pass'])
  })

  it('goes on retiring at the deadline it had before a restart, and serves until then', async () => {
    await bench.created(local())
    await bench.catalog.setState('m', 'Retired', 10_000)
    const next = new Bench()
    next.store.set('m', bench.store.get('m')!)
    await next.clock.advance(4000)
    await next.start()
    assert.ok(next.calls.includes('unload catalog:m 6000'))
    assert.equal(await next.catalog.resolve('m'), '/models/model.gguf')
    await next.clock.advance(6000)
    await assert.rejects(next.catalog.resolve('m'), { code: 'MODEL_DEPRECATED' })
    await next.catalog.setState('m', 'Active')
    assert.ok(next.calls.includes('load catalog:m'))
  })

  for (const step of [-3_600_000, 3 * 3_600_000]) {
    it(`retires at its deadline though the machine's clock is set by ${step} ms meanwhile`, async () => {
      await bench.created(local())
      await bench.catalog.setState('m', 'Retired', 10_000)
      bench.clock.stepped_ms += step
      await bench.clock.advance(9999)
      assert.equal(await bench.catalog.resolve('m'), '/models/model.gguf')
      await bench.clock.advance(1)
      await assert.rejects(bench.catalog.resolve('m'), { code: 'MODEL_DEPRECATED' })
    })

    it(`tells times and retires by the machine's clock, over a restart too, where that was set by ${step} ms before`, async () => {
      const { clock, store } = bench
      clock.stepped_ms = step
      await bench.created(local())
      const at = new Date(clock.wallOf(clock.now())).toISOString()
      const { created_at, verification } = bench.catalog.get('m')
      assert.deepEqual([created_at, verification?.started_at, verification?.finished_at], [at, at, at])
      const { retire_deadline_at } = await bench.catalog.setState('m', 'Retired', 10_000)
      assert.equal(Date.parse(String(retire_deadline_at)), clock.wallOf(clock.now()) + 10_000)
      await clock.advance(4000)
      const next = new Bench(new FakeClock(clock.wallOf(clock.now())))
      next.store.set('m', store.get('m')!)
      await next.start()
      assert.ok(next.calls.includes('unload catalog:m 6000'), next.calls.join())
      await next.clock.advance(5999)
      assert.equal(await next.catalog.resolve('m'), '/models/model.gguf')
      await next.clock.advance(1)
      await assert.rejects(next.catalog.resolve('m'), { code: 'MODEL_DEPRECATED' })
    })
  }

  it('verifies no model before it began to, where the clock is set back meanwhile', async () => {
    const gate = Promise.withResolvers<undefined>()
    bench.reading = gate.promise
    await bench.catalog.create(local())
    await bench.idle()
    bench.clock.stepped_ms -= 3_600_000
    gate.resolve(undefined)
    await bench.idle()
    const { status, started_at, finished_at } = bench.catalog.get('m').verification!
    assert.deepEqual([status, finished_at], ['pass', started_at])
  })

  it('keeps a model whose deletion could not be written down, and goes on with its work', async () => {
    const gate = Promise.withResolvers<undefined>()
    bench.reading = gate.promise
    await bench.created(local())
    bench.broken = true
    const refused = assert.rejects(bench.catalog.delete('m'), StorageError)
    gate.resolve(undefined)
    await refused
    bench.broken = false
    await bench.idle()
    assert.equal(bench.catalog.get('m').verification?.status, 'pass')
  })

  it('takes no more models than the metrics can tell apart', async () => {
    for (let i = 0; i < 1024; i++) await bench.catalog.create(local(`m${i}`))
    await assert.rejects(bench.catalog.create(local('one-more')), /holds 1024 models/)
    await bench.idle()
  })

  it('fetches no more than four models at once, in order', async () => {
    const open: (() => void)[] = []
    const begun: string[] = []
    bench.fetch = ({ target }) => {
      begun.push(target.split('/')[1]!)
      return new Promise((resolve, reject) => open.push(() => (target.includes('a') ? reject(new FetchError('refused', 'no')) : resolve())))
    }
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await bench.catalog.create(remote(id))
    await bench.idle()
    assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
    open[0]?.()
    await bench.idle()
    assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'e'])
    await bench.catalog.delete('f')
    for (const done of open) done()
    await bench.idle()
    assert.equal(begun.length, 5)
  })

  it('begins nothing once it is stopped', async () => {
    await bench.created(local())
    await bench.catalog.stop()
    await bench.catalog.verify('m')
    await bench.idle()
    assert.equal(bench.store.get('m')?.verification?.status, 'running')
  })

  it('says nothing of what it cannot foresee to clients', async () => {
    bench.fetch = () => Promise.reject(new Error('secret'))
    await bench.created(remote())
    assert.equal(bench.catalog.get('m').local.error, 'something unexpected; the log has it')
  })
})

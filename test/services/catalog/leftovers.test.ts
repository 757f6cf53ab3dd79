import assert from 'node:assert/strict'
import { FetchError, type ModelSource } from '../../../src/ports/model-source.ts'
import { fetchModel, type FetchingParts } from '../../../src/services/catalog/model-fetching.ts'
import { modelRequest } from '../../harness/catalog.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { CatalogBench, file, local, remote } from './catalog.kit.ts'

describe('the catalog, and what there was before', () => {
  let bench: CatalogBench
  beforeEach(async () => {
    bench = new CatalogBench()
    await bench.start()
  })

  it('gives a new model a place behind all others, in whatever order they are found again', async () => {
    for (const id of ['a', 'b']) await bench.created(local(id))
    const next = new CatalogBench()
    for (const id of ['b', 'a']) next.store.set(id, bench.store.get(id) ?? assert.fail(id))
    await next.start()
    await next.created(local('c'))
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => next.store.get(id)?.seq),
      [1, 2, 3],
    )
  })

  it('takes away what an earlier model of the same name has left before anything of a new one is kept', async () => {
    await bench.created(remote())
    assert.ok(bench.calls.includes('remove m'))
  })

  it('has no deadline of a retirement that is over', async () => {
    await bench.created(local())
    await bench.catalog.setState('m', 'Retired', 10_000)
    await bench.catalog.setState('m', 'Active')
    bench.disk.set('model.gguf', { digest: 'sha256:other', stamp: '2' })
    await bench.catalog.verify('m')
    await bench.idle()
    assert.equal(
      bench.calls.findLast((call) => call.startsWith('unload')),
      'unload catalog:m 60000',
    )
  })

  it('keeps what it has of a download that may be continued, and nothing of one that was refused', async () => {
    for (const [kind, removed, bytes] of [
      ['io', 0, 3],
      ['transient', 0, 3],
      ['refused', 1, 0],
      ['digest_mismatch', 1, 0],
    ] as const) {
      const of = new CatalogBench()
      await of.start()
      of.fetch = (_, onBytes) => {
        onBytes(3)
        return Promise.reject(new FetchError(kind, 'no'))
      }
      await of.catalog.create(remote())
      const before = of.calls.filter((call) => call === 'remove m').length
      for (let tries = 0; tries < 10; tries++) await of.clock.advance(60_000)
      const after = of.calls.filter((call) => call === 'remove m').length
      assert.deepEqual([after - before, of.catalog.get('m').local.bytes_done], [removed, bytes], kind)
      assert.equal(of.catalog.get('m').local.status, 'failed')
    }
  })
})

describe('a model of several files', () => {
  const files = [file, { ...file, path: 'b.gguf' }, { ...file, path: 'c.gguf' }]
  const size = file.size_bytes

  it('has those fetched alone that are not here as they should be, and tells of all its bytes', async () => {
    const fetched: string[] = []
    const source: ModelSource = {
      refusal: () => undefined,
      fetch: ({ name }, onBytes) => {
        fetched.push(name)
        onBytes(1)
        return Promise.resolve()
      },
    }
    const here = new Map([
      ['model.gguf', size],
      ['b.gguf', size - 1],
    ])
    const find = (path: string) => {
      const size_bytes = here.get(path.split('/').at(-1) ?? '')
      return size_bytes === undefined ? Promise.reject(new Error('missing')) : Promise.resolve({ path, size_bytes, stamp: '1' })
    }
    const parts: FetchingParts = {
      ...{ source, files: { find }, clock: new FakeClock(), events: { emit: () => undefined } },
      ...{ hf_endpoint: 'https://hub.test', jitter: () => 0 },
    }
    const told: number[] = []
    await fetchModel(modelRequest('m', 'hf:org/repo', files), parts, (bytes) => told.push(bytes), new AbortController().signal)
    assert.deepEqual(fetched, ['b.gguf', 'c.gguf'])
    assert.deepEqual(told, [size, size + 1, 2 * size, 2 * size + 1, 3 * size])
  })
})

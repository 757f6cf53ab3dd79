import assert from 'node:assert/strict'
import { fetchAttempts } from '../../../src/domain/backoff.ts'
import { FetchError } from '../../../src/ports/model-source.ts'
import { fetchModel } from '../../../src/services/catalog/model-fetching.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'

const digest = `sha256:${'a'.repeat(64)}`
const request = {
  ...{ id: 'm', digest, source_url: 'https://hub.test/m.gguf', tags: [], manifests: [{ path: 'm.gguf', digest, size_bytes: 1 }] },
  trust_policy: { mode: 'permissive' as const },
}

/** When a download that always fails is tried again, ms after its start. */
async function triesOf(jitter: number): Promise<number[]> {
  const clock = new FakeClock()
  const start = clock.now()
  const tries: number[] = []
  const fetch = (): Promise<void> => {
    tries.push(clock.now() - start)
    return Promise.reject(new FetchError('transient', 'gone'))
  }
  const files = { find: () => Promise.reject(new Error('not here')) }
  const parts = {
    source: { fetch, refusal: () => undefined },
    files,
    clock,
    events: { emit: () => undefined },
    hf_endpoint: 'https://hub.test',
  }
  const nothing = (): void => undefined
  const fetched = fetchModel(request, { ...parts, jitter: () => jitter }, nothing, new AbortController().signal)
  const given_up = assert.rejects(fetched, /gone/)
  for (let i = 0; i < 8; i++) {
    await settled()
    await clock.advance(60_000)
  }
  await given_up
  return tries
}

describe('a download that fails again and again', () => {
  it('backoff is jittered: half of the pause at least, all of it at most', async () => {
    const [soonest, middle, latest] = [await triesOf(0), await triesOf(0.5), await triesOf(1)]
    assert.deepEqual(latest.slice(0, 5), [0, 1000, 3000, 7000, 15_000])
    assert.deepEqual(middle.slice(0, 5), [0, 750, 2250, 5250, 11_250])
    assert.deepEqual(soonest.slice(0, 5), [0, 500, 1500, 3500, 7500])
    assert.equal(latest.length, 8)
  })
})

describe('a download that breaks again and again', () => {
  it('goes on for as long as each attempt brings a mebibyte, and waits no longer for that', async () => {
    const clock = new FakeClock()
    const start = clock.now()
    const tries: number[] = []
    const source = {
      refusal: () => undefined,
      fetch: (_file: unknown, onBytes: (bytes: number) => void): Promise<void> => {
        onBytes(tries.push(clock.now() - start) * 1024 * 1024)
        return tries.length > 20 ? Promise.resolve() : Promise.reject(new FetchError('transient', 'broken'))
      },
    }
    const files = { find: () => Promise.reject(new Error('not here')) }
    const parts = { source, files, clock, events: { emit: () => undefined }, hf_endpoint: 'https://hub.test', jitter: () => 1 }
    const fetched = fetchModel(request, parts, () => undefined, new AbortController().signal)
    for (let i = 0; i < 20; i++) {
      await settled()
      await clock.advance(1000)
    }
    await fetched
    assert.deepEqual(
      tries,
      [...Array(21).keys()].map((n) => n * 1000),
    )
  })

  it('is given up where the attempts bring nothing more, however much is there', async () => {
    const clock = new FakeClock()
    let tries = 0
    const source = {
      refusal: () => undefined,
      fetch: (_file: unknown, onBytes: (bytes: number) => void): Promise<void> => {
        tries++
        onBytes(50 * 1024 * 1024)
        return Promise.reject(new FetchError('transient', 'broken'))
      },
    }
    const files = { find: () => Promise.reject(new Error('not here')) }
    const parts = { source, files, clock, events: { emit: () => undefined }, hf_endpoint: 'https://hub.test', jitter: () => 1 }
    const abort = new AbortController()
    const fetched = fetchModel(request, parts, () => undefined, abort.signal).then(
      () => 'fetched',
      (error: unknown) => error,
    )
    for (let i = 0; i < 20; i++) {
      await settled()
      await clock.advance(60_000)
    }
    abort.abort(new Error('it was still tried'))
    assert.match(String(await fetched), /FetchError: broken/)
    assert.equal(tries, fetchAttempts)
  })
})

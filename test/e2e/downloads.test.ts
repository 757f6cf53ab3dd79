import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Downloads } from '../../src/adapters/models/downloads.ts'
import { EgressClient } from '../../src/adapters/models/egress-client.ts'
import { ModelFolder } from '../../src/adapters/models/model-folder.ts'
import { EgressRules } from '../../src/domain/catalog/egress.ts'
import { partPath, storedPath } from '../../src/domain/catalog/model-source.ts'
import { FetchError, type WantedFile } from '../../src/ports/model-source.ts'
import { sha256, someBytes } from '../harness/catalog.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { fullAfter, patchFiles } from '../harness/file-handles.ts'
import { newGate } from '../harness/gate.ts'
import { Hub } from '../harness/hub.ts'
import { inTime, until } from '../harness/wait.ts'

const bytes = someBytes(300_000)

describe('a download of one file', () => {
  const models_dir = mkdtempSync(join(tmpdir(), 'orchd-downloads-'))
  const part = join(models_dir, partPath('m', 0))
  let hub: Hub
  let restore = (): void => undefined
  beforeEach(async () => {
    hub = await Hub.start()
    hub.routes.set('/m.gguf', bytes)
  })
  afterEach(async () => {
    restore()
    restore = () => undefined
    await hub.stop()
    rmSync(models_dir, { recursive: true })
  })

  const never = new AbortController().signal
  const fetched = (onBytes: (bytes: number) => void = () => undefined, clock = new FakeClock(), signal = never): Promise<void> => {
    const url = `http://${hub.address}/m.gguf`
    const client = new EgressClient({ rules: new EgressRules([hub.address], `http://${hub.address}`), credentials: new Map() })
    const size = { size_bytes: bytes.length, max_bytes: bytes.length }
    const file: WantedFile = {
      name: 'm.gguf',
      url,
      digest: sha256(bytes),
      ...size,
      part: partPath('m', 0),
      target: storedPath('m', 'm.gguf'),
    }
    return new Downloads(client, new ModelFolder(models_dir), clock).fetch(file, onBytes, signal)
  }
  const ranges = (): (string | undefined)[] => hub.requests.map(({ headers }) => headers.range)
  const leave = (text: Buffer): void => {
    mkdirSync(dirname(part), { recursive: true })
    writeFileSync(part, text)
  }
  it('keeps what was written when the disk is full, says so, and goes on there when there is room', async () => {
    restore = await fullAfter(100_000)
    let done = 0
    await assert.rejects(
      fetched((now) => (done = now)),
      { kind: 'io', message: 'm.gguf: cannot be written below models_dir (ENOSPC)' },
    )
    restore()
    assert.ok(done > 0 && done < bytes.length, String(done))
    assert.deepEqual(readFileSync(part), bytes.subarray(0, done))
    await fetched()
    assert.deepEqual(ranges(), [undefined, `bytes=${done}-`])
    assert.deepEqual(readFileSync(join(models_dir, storedPath('m', 'm.gguf'))), bytes)
  })

  it('is not moved to its place before it is on the disk, and its name is on the disk, too', async () => {
    const synced: string[] = []
    const handles: FileHandle[] = []
    restore = await patchFiles('sync', async (file, sync) => {
      handles.push(file)
      synced.push((await file.stat()).isDirectory() ? 'folder' : 'file')
      return sync()
    })
    await fetched()
    assert.deepEqual(synced, ['file', 'folder'])
    assert.deepEqual(
      handles.map(({ fd }) => fd),
      [-1, -1],
      'both are closed',
    )
  })

  it('leaves no file open that it wrote into, whether the disk is full or not', async () => {
    let full = true
    const written = new Set<FileHandle>()
    restore = await patchFiles('write', (file, write) => {
      written.add(file)
      return full ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' })) : write()
    })
    await assert.rejects(fetched(), { kind: 'io' })
    full = false
    await fetched()
    assert.equal(written.size, 2)
    for (const { fd } of written) assert.equal(fd, -1, 'it is still open')
  })

  it('is written whole where the disk takes less of it at a time', async () => {
    restore = await patchFiles('write', (_file, write, given) => {
      given[2] = Math.ceil(Number(given[2]) / 3)
      return write()
    })
    await fetched()
    assert.ok(readFileSync(join(models_dir, storedPath('m', 'm.gguf'))).equals(bytes))
  })

  it('keeps nothing beyond the size that was announced, and says that there is more', async () => {
    hub.routes.set('/m.gguf', (_req, res) => void res.writeHead(200).end(Buffer.concat([bytes, Buffer.of(0)])))
    await assert.rejects(fetched(), { kind: 'size_mismatch', message: `m.gguf: has more than ${bytes.length} bytes` })
    assert.ok(statSync(part).size <= bytes.length)
  })

  it('asks for all of a file whose part is longer than it', async () => {
    leave(Buffer.concat([bytes, bytes]))
    await fetched()
    assert.deepEqual(ranges(), [undefined])
    assert.deepEqual(readFileSync(join(models_dir, storedPath('m', 'm.gguf'))), bytes)
  })

  it('asks for nothing where the part is whole already', async () => {
    leave(bytes)
    await fetched()
    assert.deepEqual(ranges(), [])
    assert.deepEqual(readFileSync(join(models_dir, storedPath('m', 'm.gguf'))), bytes)
  })

  it('takes as long as it takes, while something comes now and then', async () => {
    const clock = new FakeClock()
    const answering = Promise.withResolvers<ServerResponse>()
    hub.routes.set('/m.gguf', (_req, res) => answering.resolve(res.writeHead(200, { 'Content-Length': bytes.length })))
    let [done, failed] = [0, false]
    const all = fetched((now) => (done = now), clock)
    all.catch(() => (failed = true))
    const answer = await answering.promise
    for (let at = 0; at < 5000; at += 1000) {
      answer.write(bytes.subarray(at, at + 1000))
      await until(() => failed || done === at + 1000, 'the next piece to be there')
      await clock.advance(30_000)
    }
    answer.end(bytes.subarray(5000))
    await all
    assert.deepEqual(readFileSync(join(models_dir, storedPath('m', 'm.gguf'))), bytes)
  })

  it('may be tried again where the server says that it is busy or broken, and not where it refuses', async () => {
    const kinds: Record<number, unknown> = {}
    for (const status of [408, 425, 429, 500, 503, 400, 401, 404, 410]) {
      hub.routes.set('/m.gguf', (_req, res) => void res.writeHead(status).end())
      kinds[status] = await fetched().catch((error: unknown) => (error instanceof FetchError ? error.kind : error))
    }
    const [again, never] = ['transient', 'refused']
    assert.deepEqual(kinds, { 400: never, 401: never, 404: never, 408: again, 410: never, 425: again, 429: again, 500: again, 503: again })
  })

  it('refuses a server that continues elsewhere than asked, and keeps its part', async () => {
    leave(bytes.subarray(0, 1000))
    hub.routes.set('/m.gguf', (_req, res) => {
      const rest = bytes.subarray(1000)
      res.writeHead(206, { 'Content-Length': rest.length, 'Content-Range': `bytes 999-${bytes.length - 2}/${bytes.length}` }).end(rest)
    })
    await assert.rejects(fetched(), { kind: 'refused', message: 'm.gguf: the server continues elsewhere than asked' })
    assert.deepEqual(readFileSync(part), bytes.subarray(0, 1000))
  })

  it('closes the connection of an answer that it refuses before it is read', async () => {
    const closed = newGate()
    hub.routes.set('/m.gguf', (_req, res) => {
      res.once('close', closed.resolve)
      res.writeHead(200, { 'Content-Encoding': 'gzip' }).write(bytes)
    })
    await assert.rejects(fetched(), { kind: 'refused' })
    await inTime(closed.promise, 'the connection to close')
  })
  it('is asked for once where it is another than was announced, and a second time where its beginning was there', async () => {
    const others = someBytes(bytes.length, 2)
    hub.routes.set('/m.gguf', others)
    const refused = { kind: 'digest_mismatch', message: `m.gguf: has digest ${sha256(others)}, it was announced as ${sha256(bytes)}` }
    await assert.rejects(fetched(), refused)
    assert.deepEqual(ranges(), [undefined])
    leave(bytes.subarray(0, 1000))
    await assert.rejects(fetched(), refused)
    assert.deepEqual(ranges().slice(1), ['bytes=1000-', undefined])
  })

  it('is readable by nobody else, and goes nowhere by a link that stands in its place', async () => {
    await fetched()
    assert.equal(statSync(join(models_dir, storedPath('m', 'm.gguf'))).mode & 0o777, 0o600)
    const elsewhere = join(models_dir, 'elsewhere')
    writeFileSync(elsewhere, 'as it was')
    symlinkSync(elsewhere, part)
    await assert.rejects(fetched(), { kind: 'io', message: 'm.gguf: cannot be written below models_dir (ELOOP)' })
    assert.equal(readFileSync(elsewhere, 'utf8'), 'as it was')
    rmSync(dirname(part), { recursive: true })
    symlinkSync(models_dir, dirname(part))
    await assert.rejects(fetched(), { name: 'FetchError', kind: 'io', message: /is a symbolic link; remove it$/ })
  })

  it('says that the server was silent, and why it was given up', async () => {
    hub.routes.set('/m.gguf', (_req, res) => void res.writeHead(200, { 'Content-Length': bytes.length }).write(bytes.subarray(0, 1000)))
    const clock = new FakeClock()
    let done = 0
    const silent = fetched((now) => (done = now), clock)
    silent.catch(() => undefined)
    await until(() => done === 1000, 'the beginning to be there')
    await clock.advance(60_000)
    await assert.rejects(silent, { kind: 'transient', message: 'm.gguf: the server was silent for 30000 ms' })
    assert.equal(clock.pending, 0)
    rmSync(part)
    const stop = new AbortController()
    const reason = new Error('enough')
    await assert.rejects(
      fetched((now) => now > 0 && stop.abort(reason), new FakeClock(), stop.signal),
      reason,
    )
    leave(bytes)
    await assert.rejects(fetched(undefined, new FakeClock(), AbortSignal.abort(reason)), reason)
    assert.deepEqual(readFileSync(part), bytes, 'what is there already is kept')
  })
})

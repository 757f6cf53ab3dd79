import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { Downloads } from '../../src/adapters/models/downloads.ts'
import type { EgressClient } from '../../src/adapters/models/egress-client.ts'
import { ModelFolder } from '../../src/adapters/models/model-folder.ts'
import { partPath, storedPath } from '../../src/domain/catalog/model-source.ts'
import type { WantedFile } from '../../src/ports/model-source.ts'
import { sha256, someBytes } from '../harness/catalog.ts'
import { FakeClock } from '../harness/fake-clock.ts'

const bytes = someBytes(3000)

interface Given {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readable
}

describe('what a download makes of an answer', () => {
  let models_dir: string
  const target = (): string => join(models_dir, storedPath('m', 'm.gguf'))
  beforeEach(() => (models_dir = mkdtempSync(join(tmpdir(), 'orchd-answers-'))))
  afterEach(() => rmSync(models_dir, { recursive: true }))

  /** Fetches the file of which `had` bytes are there, by these answers. */
  async function fetched(had: number, answers: readonly Given[], file: Partial<WantedFile> = {}): Promise<void> {
    const part = join(models_dir, partPath('m', 0))
    mkdirSync(dirname(part), { recursive: true })
    writeFileSync(part, bytes.subarray(0, had))
    const left = [...answers]
    const get = () => {
      const {
        status = had === 0 ? 200 : 206,
        headers = {},
        body = Readable.from([bytes.subarray(had)]),
      } = left.shift() ?? assert.fail('too often')
      return Promise.resolve({ statusCode: status, headers, body })
    }
    const wanted = {
      name: 'm.gguf',
      url: 'https://hub.test/m.gguf',
      digest: sha256(bytes),
      size_bytes: bytes.length,
      max_bytes: bytes.length,
    }
    await new Downloads({ get } as unknown as EgressClient, new ModelFolder(models_dir), new FakeClock()).fetch(
      { ...wanted, part: partPath('m', 0), target: storedPath('m', 'm.gguf'), ...file },
      () => undefined,
      new AbortController().signal,
    )
    assert.ok(readFileSync(target()).equals(bytes))
  }

  it('goes on where the answer says that it does, whether it knows the whole or not', async () => {
    for (const whole of ['3000', '*']) await fetched(1000, [{ headers: { 'content-range': `bytes 1000-2999/${whole}` } }])
    await fetched(1000, [{ headers: { 'content-range': 'bytes 1000-2999/3000', 'content-length': '2000' } }])
  })

  it('takes no other file than the one that was announced, and reads nothing of it', async () => {
    const unread = new Readable({ read: () => assert.fail('it is read') })
    for (const [had, headers] of [
      [1000, { 'content-range': 'bytes 1000-2999/4000' }],
      [1000, { 'content-range': 'bytes 1000-2999/3000', 'content-length': '3000' }],
      [0, { 'content-length': '2999' }],
      [0, { 'content-length': '3001' }],
    ] as const)
      await assert.rejects(fetched(had, [{ headers, body: unread }]), { kind: 'size_mismatch' }, JSON.stringify(headers))
    assert.equal(existsSync(target()), false)
  })

  it('takes no more than it may where nobody has said how large it is', async () => {
    const unsaid = { size_bytes: undefined as never }
    await fetched(0, [{ headers: { 'content-length': '3000' } }], unsaid)
    const announced = { headers: { 'content-length': '3001' }, body: new Readable({ read: () => assert.fail('it is read') }) }
    await assert.rejects(fetched(0, [announced], unsaid), { kind: 'size_mismatch', message: 'm.gguf: has 3001 bytes, more than 3000' })
    await assert.rejects(fetched(0, [{ body: Readable.from([bytes, Buffer.of(0)]) }], unsaid), { kind: 'size_mismatch' })
  })

  it('takes what comes as it is', async () => {
    await fetched(0, [{ headers: { 'content-encoding': 'identity' } }])
    await assert.rejects(fetched(0, [{ headers: { 'content-encoding': 'br' } }]), { kind: 'refused' })
  })

  it('begins anew where the server cannot go on, and leaves what it said about that', async () => {
    const said = new Readable({ read: () => undefined })
    await fetched(1000, [
      { status: 416, body: said },
      { status: 200, body: Readable.from([bytes]) },
    ])
    assert.equal(said.destroyed, true)
    await fetched(1000, [{ status: 200, body: Readable.from([bytes]) }])
  })

  it('may be tried again where it ends early', async () => {
    await assert.rejects(fetched(0, [{ body: Readable.from([bytes.subarray(0, 10)]) }]), {
      ...{ kind: 'transient', message: 'm.gguf: ended after 10 of 3000 bytes' },
    })
  })
})

import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { modelDigest, type CatalogModel, type CatalogModelRequest, type ManifestFile } from '../../src/domain/catalog/catalog.ts'
import { keys, startDaemon, type TestDaemon, type Overrides } from './daemon.ts'
import { call, type Answer } from './http.ts'
import { untilAnswer } from './wait.ts'

export const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Bytes that look like no others of the same length. */
export const someBytes = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(length)
  let x = seed
  for (let i = 0; i < length; i++) bytes[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0) >>> 16
  return bytes
}

export const manifestOf = (path: string, bytes: Buffer): ManifestFile => ({ path, digest: sha256(bytes), size_bytes: bytes.length })

/** A model of these files; `fields` replace the defaults. */
export function modelRequest(
  id: string,
  source_url: string,
  manifests: ManifestFile[],
  fields: Partial<CatalogModelRequest> = {},
): CatalogModelRequest {
  return { id, digest: modelDigest(manifests), source_url, manifests, trust_policy: { mode: 'permissive' }, ...fields }
}

/** Somebody who signs models. */
export function makeSigner(name: string): {
  readonly config: { readonly name: string; readonly public_key: string }
  sign(digest: string): { signer: string; algo: 'ed25519'; value: string }
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  return {
    config: { name, public_key: Buffer.from(x, 'base64url').toString('base64') },
    sign: (digest) => ({ signer: name, algo: 'ed25519', value: sign(null, Buffer.from(digest, 'ascii'), privateKey).toString('base64') }),
  }
}

/** A daemon with folders of its own for models and data, which outlive it until `remove`. */
export class CatalogWorld {
  readonly root = mkdtempSync(join(tmpdir(), 'orchd-catalog-'))
  readonly models_dir = join(this.root, 'models')
  private running: TestDaemon | undefined

  constructor() {
    mkdirSync(this.models_dir)
  }

  get daemon(): TestDaemon {
    return this.running ?? assert.fail('not started')
  }

  async start(catalog: Record<string, unknown> = {}, overrides: Overrides = {}, given: Record<string, unknown> = {}): Promise<void> {
    this.running = await startDaemon({ models_dir: this.models_dir, data_dir: join(this.root, 'data'), catalog, ...given }, overrides)
  }

  async stop(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.root, { recursive: true, force: true })
  }

  /** Writes a file below models_dir. */
  write(path: string, bytes: Buffer | string): void {
    mkdirSync(dirname(join(this.models_dir, path)), { recursive: true })
    writeFileSync(join(this.models_dir, path), bytes)
  }

  /** Everything below models_dir, in order. */
  files(): string[] {
    return existsSync(this.models_dir) ? readdirSync(this.models_dir, { recursive: true }).map(String).sort() : []
  }

  ask(method: string, path: string, body?: unknown, key: string = keys.all): Promise<Answer> {
    return call(this.daemon.url, path, { method, key, ...(body === undefined ? {} : { body }) })
  }

  create(request: unknown): Promise<Answer> {
    return this.ask('POST', '/v1/catalog/models', request)
  }

  async get(id: string): Promise<CatalogModel> {
    const { status, text, json } = await this.ask('GET', `/v1/catalog/models/${id}`)
    assert.equal(status, 200, text)
    return json as unknown as CatalogModel
  }

  /** Asks until the model is as wanted. */
  until(id: string, fits: (model: CatalogModel) => boolean): Promise<CatalogModel> {
    return untilAnswer(() => this.get(id), fits)
  }

  /** Has a model registered and waits until its fetching has failed or its verification is over. */
  async settled(request: CatalogModelRequest): Promise<CatalogModel> {
    const { status, text } = await this.create(request)
    assert.equal(status, 201, text)
    return this.over(request.id)
  }

  /** Waits until the model's fetching has failed or its verification is over. */
  over(id: string): Promise<CatalogModel> {
    return this.until(
      id,
      ({ local, verification }) =>
        local.status === 'failed' || (local.status === 'present' && (verification?.status === 'pass' || verification?.status === 'fail')),
    )
  }

  /** A verification from its request to its result. */
  async verify(id: string): Promise<CatalogModel> {
    const { status, text } = await this.ask('POST', `/v1/catalog/models/${id}/verify`)
    assert.equal(status, 202, text)
    return this.over(id)
  }
}

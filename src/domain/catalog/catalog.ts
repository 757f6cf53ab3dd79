import type { components } from '../../../generated/api.ts'
import { canonicalJson, digestOf } from '../artifact.ts'
import { DomainError } from '../errors.ts'
import { parseModelSource, pathProblem, type ModelSource } from './model-source.ts'

/** A catalog model as the wire shows it. */
export type CatalogModel = components['schemas']['CatalogModel']
/** A catalog model as it is registered. */
export type CatalogModelRequest = components['schemas']['CatalogModelRequest']
/** One file of a model. */
export type ManifestFile = components['schemas']['ManifestFile']
/** Whether a model takes new tasks. */
export type ModelState = components['schemas']['ModelState']
/** Why a verification failed. */
export type VerificationReason = NonNullable<components['schemas']['ModelVerification']['reason']>

/** The newest verification of a model; times are milliseconds since the epoch. */
export interface Verification {
  readonly status: 'running' | 'pass' | 'fail'
  readonly started_at: number
  readonly finished_at?: number
  readonly reason?: VerificationReason
  /** The reason for people, with the file. */
  readonly message?: string
  /** What policy permissive let pass. */
  readonly warnings?: readonly string[]
  /** What each manifest file looked like on disk when it passed: a file that looks different is verified again before it is served. */
  readonly stamps?: readonly string[]
}

/** A model as it is stored; times are milliseconds since the epoch. */
export interface CatalogRecord {
  /** Orders models by when they were registered; never used twice while the newest model is kept. */
  readonly seq: number
  readonly request: CatalogModelRequest
  readonly state: ModelState
  /** Retired only: until then running tasks may go on. By the machine's clock, like all that is told. */
  readonly retire_deadline_at?: number
  /** Where its files are: on this machine, on their way, or neither. */
  readonly files: 'present' | 'fetching' | 'failed'
  /** Why fetching failed. */
  readonly fetch_error?: string
  readonly verification?: Verification
  readonly created_at: number
}

/** Most models a catalog holds: what the `model_id` label of the metrics may tell apart. */
export const maxModels = 1024

/** How long running tasks may go on where a request to retire names no deadline, and on a model that failed its verification, ms. */
export const defaultRetireMs = 60_000

const reference = /^catalog:([a-z0-9][a-z0-9._-]{0,127})$/

/** Id of the model that a `catalog:<id>` reference names; undefined for any other reference. */
export const catalogIdOf = (model_ref: string): string | undefined => reference.exec(model_ref)?.[1]

/** The reference by which pools and tasks name a catalog model. */
export const catalogRef = (id: string): string => `catalog:${id}`

/**
 * What the digest of a model is: that of its file where there is one, else `sha256:` and the SHA-256 of the canonical JSON (RFC 8785) of
 * `manifests`, in their order.
 */
export function modelDigest(manifests: readonly ManifestFile[]): string {
  const [only, ...more] = manifests
  return only !== undefined && more.length === 0 ? only.digest : `sha256:${digestOf(manifests)}`
}

/** Bytes of all files of the manifest. */
export const totalBytes = ({ manifests }: Pick<CatalogModelRequest, 'manifests'>): number =>
  manifests.reduce((sum, { size_bytes }) => sum + size_bytes, 0)

/**
 * Rules between the fields of a model that a JSON Schema cannot say with a clear message. Returns where its files come from.
 * @throws DomainError invalid_params, naming the field
 */
export function checkCatalogRequest(request: CatalogModelRequest): ModelSource {
  const { manifests, digest } = request
  // Refuses text without a canonical form: the request is compared by it later.
  canonicalJson(request)
  const source = parseModelSource(request.source_url, 'body.source_url')
  const taken = new Map<string, number>()
  manifests.forEach(({ path }, i) => {
    const problem = pathProblem(path)
    if (problem !== undefined) throw invalid(`body.manifests.${i}.path: ${problem}`)
    // Some file systems take these for the same file.
    const plain = path.normalize('NFC').toLowerCase()
    const twin = taken.get(plain)
    if (twin !== undefined) throw invalid(`body.manifests.${i}.path: is the file of body.manifests.${twin}`)
    taken.set(plain, i)
  })
  for (const [plain, i] of taken)
    for (let slash = plain.indexOf('/'); slash >= 0; slash = plain.indexOf('/', slash + 1)) {
      const file = taken.get(plain.slice(0, slash))
      if (file !== undefined) throw invalid(`body.manifests.${i}.path: lies below body.manifests.${file}.path, which is a file`)
    }
  if (!Number.isSafeInteger(totalBytes(request))) throw invalid('body.manifests: their size_bytes add up to more than 2^53 - 1')
  const expected = modelDigest(manifests)
  if (digest !== expected) {
    const rule = manifests.length === 1 ? 'the digest of its only file' : 'the SHA-256 of the canonical JSON (RFC 8785) of manifests'
    throw invalid(`body.digest: must be ${rule}, ${expected}`)
  }
  return source
}

const invalid = (message: string): DomainError => new DomainError('invalid_params', message)

/** Why a model may not take new tasks, whatever its files; undefined where it may. */
export function refusalOf({ request: { id }, state, verification, files, fetch_error }: CatalogRecord): DomainError | undefined {
  if (state === 'Retired') return new DomainError('model_deprecated', `Model ${id} of the catalog is retired; name another model.`)
  if (files === 'failed')
    return new DomainError(
      'conflict',
      `Model ${id} of the catalog could not be fetched (${fetch_error ?? 'unknown'}); verify it to try again.`,
    )
  if (verification?.status === 'fail')
    return new DomainError(
      'conflict',
      `Model ${id} of the catalog failed its verification (${verification.reason ?? 'unknown'}: ${verification.message ?? ''}) and is not served.`,
    )
  if (files === 'fetching')
    return new DomainError('pool_unready', `Model ${id} of the catalog is still being fetched.`, { retry_after_ms: 10_000 })
  return undefined
}

const iso = (at: number): string => new Date(at).toISOString()

/** A model as the wire shows it. @param bytes_done bytes of its files on this machine */
export function modelView(record: CatalogRecord, bytes_done: number): CatalogModel {
  const { request, state, retire_deadline_at, verification, files, fetch_error, created_at } = record
  const { tags = [], signatures = [], ...rest } = request
  return {
    ...rest,
    tags,
    signatures,
    state,
    ...(retire_deadline_at === undefined ? {} : { retire_deadline_at: iso(retire_deadline_at) }),
    ...(verification === undefined ? {} : { verification: verificationView(verification) }),
    local: {
      status: files,
      bytes_done,
      bytes_total: totalBytes(request),
      ...(fetch_error === undefined ? {} : { error: fetch_error.slice(0, 2000) }),
    },
    created_at: iso(created_at),
  }
}

function verificationView({
  status,
  started_at,
  finished_at,
  reason,
  message,
  warnings,
}: Verification): NonNullable<CatalogModel['verification']> {
  return {
    status,
    started_at: iso(started_at),
    ...(finished_at === undefined ? {} : { finished_at: iso(finished_at) }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message: message.slice(0, 2000) }),
    ...(warnings === undefined ? {} : { warnings: warnings.slice(0, 64).map((warning) => warning.slice(0, 2000)) }),
  }
}

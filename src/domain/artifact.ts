import { createHash, hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { components } from '../../generated/api.ts'
import { DomainError } from './errors.ts'
import { jsonInside, textPieces } from './text-pieces.ts'

/** A content-addressed document. */
export type Artifact = components['schemas']['Artifact']
/** An artifact without its content, as lists show it. */
export type ArtifactRef = components['schemas']['ArtifactRef']
/** What an artifact is. */
export type ArtifactKind = components['schemas']['ArtifactKind']

/** An artifact as it is stored: one row for each owner. */
export interface StoredArtifact {
  readonly owner: string
  readonly id: string
  readonly artifact: Artifact
  /** Milliseconds since the epoch. */
  readonly created_at: number
  /** Bytes of the canonical JSON. */
  readonly size_bytes: number
}

/**
 * Canonical JSON (RFC 8785) of a JSON value.
 * @throws DomainError invalid_params where a text is not well-formed Unicode (a lone surrogate), which has no canonical form
 */
export function canonicalJson(value: object): string {
  try {
    const text = canonicalize(value)
    if (text !== undefined) return text
  } catch (cause) {
    throw illFormed(cause)
  }
  throw new TypeError('not a JSON value')
}

/** @throws DomainError invalid_params naming the field that has half of a surrogate pair: no UTF-8 can say it, so neither can the storage nor an engine */
export function checkWellFormed(value: unknown, path = 'body'): void {
  if (typeof value === 'string' && !value.isWellFormed())
    throw new DomainError(
      'invalid_params',
      `${path}: has half of a surrogate pair (an escape from \\ud800 to \\udfff alone); send both or neither`,
    )
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    if (!name.isWellFormed())
      throw new DomainError('invalid_params', `${path}: has a name with half of a surrogate pair; send both or neither`)
    checkWellFormed(inner, `${path}.${name}`)
  }
}

const illFormed = (cause?: unknown): DomainError =>
  new DomainError('invalid_params', 'body: holds text that is not well-formed Unicode (a lone surrogate)', { cause })

/** Whether two JSON values have the same canonical form. */
export const sameJson = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b)

/**
 * SHA-256 of a JSON value, hex: the same in whatever order its names are. Every request that brings an id has one, so it is of JSON with its names
 * in order, which costs half of what the canonical form does; they differ where a name is a number.
 * @throws DomainError invalid_params for a number beyond all doubles, which JSON would have as null
 */
export const digestOf = (value: object): string => hash('sha256', JSON.stringify(inOrder(value)))

function inOrder(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new DomainError('invalid_params', 'body: has a number that is out of range (1e308 is about the largest)')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOrder)
  const ordered: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value).sort(byName)) {
    // To assign this one would set the prototype.
    if (name === '__proto__') Object.defineProperty(ordered, name, { value: inOrder(inner), enumerable: true })
    else ordered[name] = inOrder(inner)
  }
  return ordered
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/** Code units of a content that are hashed at a time. */
const piece_units = 16 * 1024
/** Pieces between two pauses of `sealing`: less than a millisecond's work. */
const pieces_at_once = 8

/** Addresses an artifact by its content: `sha256:` and the digest of its canonical JSON. @throws DomainError invalid_params, @see canonicalJson */
export function sealArtifact(owner: string, artifact: Artifact, created_at: number): StoredArtifact {
  const steps = sealing(owner, artifact, created_at)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** The same in steps: where it yields, something else may be done first, as a large content takes tens of milliseconds. */
export function* sealing(owner: string, artifact: Artifact, created_at: number): Generator<undefined, StoredArtifact> {
  const { content } = artifact
  if (content.length <= piece_units) {
    const text = canonicalJson(artifact)
    return { owner, id: `sha256:${hash('sha256', text)}`, artifact, created_at, size_bytes: Buffer.byteLength(text) }
  }
  if (!content.isWellFormed()) throw illFormed()
  const digest = createHash('sha256')
  let size_bytes = 0
  const add = (text: string): void => {
    digest.update(text)
    size_bytes += Buffer.byteLength(text)
  }
  // The content is the first of its fields in canonical order.
  const before = '{"content":"'
  add(before)
  let pieces = 0
  for (const piece of textPieces(content, piece_units)) {
    add(jsonInside(piece))
    if (++pieces % pieces_at_once === 0) yield
  }
  add(canonicalJson({ ...artifact, content: '' }).slice(before.length))
  return { owner, id: `sha256:${digest.digest('hex')}`, artifact, created_at, size_bytes }
}

/** The artifact without its content. */
export function artifactRef(stored: Pick<StoredArtifact, 'id' | 'artifact' | 'created_at' | 'size_bytes'>): ArtifactRef {
  const { kind, tags, parent } = stored.artifact
  const created_at = new Date(stored.created_at).toISOString()
  return { id: stored.id, kind, tags, ...(parent === undefined ? {} : { parent }), created_at, size_bytes: stored.size_bytes }
}

import { setImmediate as nextRound } from 'node:timers/promises'
import { artifactRef, sealing, type Artifact, type ArtifactKind, type ArtifactRef, type StoredArtifact } from '../domain/artifact.ts'
import { DomainError } from '../domain/errors.ts'
import { defaultPage } from '../domain/page.ts'
import { controls, ownersListed, type Principal } from '../domain/principal.ts'
import type { ArtifactStore } from '../ports/artifact-store.ts'
import { type Clock, wallNow } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import type { CreationLimits } from './creation-limits.ts'
import { KeyedPlaces } from './keyed-places.ts'

/** Which artifacts to list. */
export interface ArtifactQuery {
  readonly kind?: ArtifactKind | undefined
  readonly tag?: string | undefined
  /** Only artifacts of this key. */
  readonly owner?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** What artifacts work with. */
export interface ArtifactsParts {
  readonly store: ArtifactStore
  readonly journal: Pick<Journal, 'commit'>
  readonly creation: Pick<CreationLimits, 'countRequest' | 'checkRoom'>
  readonly clock: Clock
}

/** Contents of one key that are written at a time. */
const contents_at_once = 4
/** Those beyond this many characters, and what is read, go one at a time: each may be as large as a body, in this thread and in the storage's. */
const large_chars = 64 * 1024

/** Seals it, and leaves the thread to others in between. */
async function sealedInPieces(owner: string, artifact: Artifact, created_at: number): Promise<StoredArtifact> {
  const steps = sealing(owner, artifact, created_at)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await nextRound()
  }
}

/** Content-addressed documents of each key. */
export class Artifacts {
  private readonly parts: ArtifactsParts
  private readonly places = new KeyedPlaces(contents_at_once)
  private readonly largePlaces = new KeyedPlaces(1)
  private readonly lists = new KeyedPlaces(1)

  constructor(parts: ArtifactsParts) {
    this.parts = parts
  }

  /**
   * Stores an artifact; the same again gives the same reference.
   * @throws DomainError invalid_params where the parent is unknown, rate_limited, pool_unavailable
   */
  async create(principal: Principal, artifact: Artifact): Promise<ArtifactRef> {
    const { store, journal, creation, clock } = this.parts
    const owner = principal.name
    creation.countRequest(owner)
    if (artifact.parent !== undefined && (await store.look(owner, artifact.parent)) === undefined)
      throw new DomainError('invalid_params', 'body.parent: no such artifact')
    const places = artifact.content.length > large_chars ? this.largePlaces : this.places
    return places.run(owner, async () => {
      // What there is no room for is not read.
      creation.checkRoom(owner, artifact.content.length)
      const sealed = await sealedInPieces(owner, artifact, wallNow(clock))
      creation.checkRoom(owner, sealed.size_bytes)
      await journal.commit([{ kind: 'artifact', artifact: sealed }])
      return artifactRef((await store.look(owner, sealed.id)) ?? sealed)
    })
  }

  /** @throws DomainError not_found */
  async get(principal: Principal, id: string): Promise<Artifact> {
    const stored = await this.largePlaces.run(principal.name, () => this.parts.store.get(principal.name, id))
    if (stored === undefined) throw new DomainError('not_found', 'No such artifact.')
    return stored.artifact
  }

  /** Newest first; lists for one key are made one after the other. @throws DomainError forbidden */
  list(principal: Principal, query: ArtifactQuery): Promise<{ artifacts: ArtifactRef[]; next_cursor?: string }> {
    return this.lists.run(principal.name, () => this.page(principal, query))
  }

  private async page(principal: Principal, query: ArtifactQuery): Promise<{ artifacts: ArtifactRef[]; next_cursor?: string }> {
    const owner = ownersListed(principal, query.owner)
    const { kind, tag, limit = defaultPage, cursor } = query
    const filter = {
      ...(owner === undefined ? {} : { owner }),
      ...(kind === undefined ? {} : { kind }),
      ...(tag === undefined ? {} : { tag }),
    }
    const found = await this.parts.store.list({
      ...filter,
      ...(cursor === undefined ? {} : { before_seq: Number(cursor) }),
      limit: limit + 1,
    })
    const page = found.slice(0, limit)
    const last = page.at(-1)
    return {
      artifacts: page.map((stored) => ({ ...artifactRef(stored), ...(controls(principal) ? { owner: stored.owner } : {}) })),
      ...(found.length > limit && last !== undefined ? { next_cursor: String(last.seq) } : {}),
    }
  }
}

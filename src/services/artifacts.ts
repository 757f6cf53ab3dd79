import { artifactRef, sealArtifact, type Artifact, type ArtifactKind, type ArtifactRef } from '../domain/artifact.ts'
import { DomainError } from '../domain/errors.ts'
import { defaultPage } from '../domain/page.ts'
import { controls, ownersListed, type Principal } from '../domain/principal.ts'
import type { ArtifactStore } from '../ports/artifact-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'

/** Which artifacts to list. */
export interface ArtifactQuery {
  readonly kind?: ArtifactKind | undefined
  readonly tag?: string | undefined
  /** Only artifacts of this key. */
  readonly owner?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Content-addressed documents of each key. */
export class Artifacts {
  private readonly store: ArtifactStore
  private readonly journal: Pick<Journal, 'commit'>
  private readonly clock: Clock

  constructor(store: ArtifactStore, journal: Pick<Journal, 'commit'>, clock: Clock) {
    this.store = store
    this.journal = journal
    this.clock = clock
  }

  /**
   * Stores an artifact; the same again gives the same reference.
   * @throws DomainError invalid_params where the parent is unknown
   */
  async create(principal: Principal, artifact: Artifact): Promise<ArtifactRef> {
    const owner = principal.name
    if (artifact.parent !== undefined && !(await this.store.has(owner, artifact.parent)))
      throw new DomainError('invalid_params', 'body.parent: no such artifact')
    const sealed = sealArtifact(owner, artifact, Math.floor(this.clock.wallOf(this.clock.now())))
    await this.journal.commit([{ kind: 'artifact', artifact: sealed }])
    return artifactRef((await this.store.get(owner, sealed.id)) ?? sealed)
  }

  /** @throws DomainError not_found */
  async get(principal: Principal, id: string): Promise<Artifact> {
    const stored = await this.store.get(principal.name, id)
    if (stored === undefined) throw new DomainError('not_found', 'No such artifact.')
    return stored.artifact
  }

  /** Newest first. @throws DomainError forbidden */
  async list(principal: Principal, query: ArtifactQuery): Promise<{ artifacts: ArtifactRef[]; next_cursor?: string }> {
    const owner = ownersListed(principal, query.owner)
    const { kind, tag, limit = defaultPage, cursor } = query
    const filter = {
      ...(owner === undefined ? {} : { owner }),
      ...(kind === undefined ? {} : { kind }),
      ...(tag === undefined ? {} : { tag }),
    }
    const found = await this.store.list({ ...filter, ...(cursor === undefined ? {} : { before_seq: Number(cursor) }), limit: limit + 1 })
    const page = found.slice(0, limit)
    const last = page.at(-1)
    return {
      artifacts: page.map((stored) => ({ ...artifactRef(stored), ...(controls(principal) ? { owner: stored.owner } : {}) })),
      ...(found.length > limit && last !== undefined ? { next_cursor: String(last.seq) } : {}),
    }
  }
}

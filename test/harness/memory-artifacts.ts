import type { StoredArtifact } from '../../src/domain/artifact.ts'
import type { ArtifactFilter, ArtifactStore } from '../../src/ports/artifact-store.ts'

type InOrder = <T>(job: () => T) => Promise<T>

/** The part of the storage in memory that is about artifacts. */
export class MemoryArtifacts {
  private all: { readonly seq: number; readonly one: StoredArtifact }[] = []
  private readonly inOrder: InOrder

  constructor(inOrder: InOrder) {
    this.inOrder = inOrder
  }

  readonly store: ArtifactStore = {
    get: (owner, id) => this.inOrder(() => this.find(owner, id)),
    look: (owner, id) => this.inOrder(() => [this.find(owner, id)].map((found) => found && shown(found))[0]),
    list: ({ owner, kind, tag, before_seq = Infinity, limit }: ArtifactFilter) =>
      this.inOrder(() =>
        this.all
          .filter(({ one }) => (owner === undefined || one.owner === owner) && (kind === undefined || one.artifact.kind === kind))
          .filter(({ one, seq }) => (tag === undefined || one.artifact.tags.includes(tag)) && seq < before_seq)
          .reverse()
          .slice(0, limit)
          .map(({ one, seq }) => ({ ...shown(one), seq })),
      ),
  }

  /** The first one of an owner and id stands. */
  add(seq: number, one: StoredArtifact): void {
    if (this.find(one.owner, one.id) === undefined) this.all.push({ seq, one })
  }

  forget(which: (one: StoredArtifact) => boolean): void {
    this.all = this.all.filter(({ one }) => !which(one))
  }

  /** Bytes by owner. */
  stored(): [owner: string, bytes: number][] {
    return this.all.map(({ one }) => [one.owner, one.size_bytes])
  }

  /** When the newest was made, ms since the epoch; 0 where there is none. */
  newest(): number {
    return Math.max(0, ...this.all.map(({ one }) => one.created_at))
  }

  private find(owner: string, id: string): StoredArtifact | undefined {
    return this.all.find(({ one }) => one.owner === owner && one.id === id)?.one
  }
}

/** Without what is in it. */
const shown = (one: StoredArtifact): StoredArtifact => ({ ...one, artifact: { ...one.artifact, content: '', metadata: {} } })

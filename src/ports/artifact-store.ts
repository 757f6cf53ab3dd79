import type { ArtifactKind, StoredArtifact } from '../domain/artifact.ts'

/** Which artifacts to list, newest first. */
export interface ArtifactFilter {
  /** Only this owner's; everybody's if left out. */
  readonly owner?: string
  readonly kind?: ArtifactKind
  readonly tag?: string
  /** Only artifacts with a smaller `seq`. */
  readonly before_seq?: number
  readonly limit: number
}

/** Reads what `artifact` facts wrote. */
export interface ArtifactStore {
  /** The artifact of this owner; with `owner` undefined anybody's, they are all the same but for when they were stored. */
  get(owner: string | undefined, id: string): Promise<StoredArtifact | undefined>
  /** `seq` orders artifacts by the time they were first stored. `content` is left out (an empty string). */
  list(filter: ArtifactFilter): Promise<(StoredArtifact & { readonly seq: number })[]>
}

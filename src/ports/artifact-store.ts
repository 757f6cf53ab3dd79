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
  get(owner: string, id: string): Promise<StoredArtifact | undefined>
  /** As `list` shows it, at no cost for what is in it. */
  look(owner: string, id: string): Promise<StoredArtifact | undefined>
  /** `seq` orders artifacts by the time they were first stored. `content` (an empty string) and `metadata` are left out. */
  list(filter: ArtifactFilter): Promise<(StoredArtifact & { readonly seq: number })[]>
}

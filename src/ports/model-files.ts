/** Why a file below models_dir cannot be used. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError'
  readonly kind: 'missing' | 'outside' | 'not_a_file' | 'io'
  /** @param message names the file as the reference does, never by its absolute path */
  constructor(kind: ModelFileError['kind'], message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.kind = kind
  }
}

/** A file as it lies on disk. */
export interface FoundFile {
  /** Absolute, symbolic links resolved. */
  readonly path: string
  readonly size_bytes: number
  /** Changes whenever the file does, as far as the file system tells without its being read. */
  readonly stamp: string
}

/** What was read of a file. */
export interface ReadFile extends FoundFile {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string
}

/** The files below models_dir. Paths are relative to it and have passed `pathProblem`. */
export interface ModelFiles {
  /** @throws ModelFileError also where the path leads out of models_dir by a symbolic link */
  find(path: string): Promise<FoundFile>
  /**
   * Reads a whole file without blocking for long.
   * @throws ModelFileError as `find`; the signal's reason where it aborts
   */
  digest(path: string, signal: AbortSignal): Promise<ReadFile>
  /** Removes everything that was fetched for a model; fine where there is nothing. @throws ModelFileError */
  remove(id: string): Promise<void>
  /** Ids of the models for which something was fetched. */
  stored(): Promise<string[]>
}

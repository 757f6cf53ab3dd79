/** A file to fetch. Paths are relative to models_dir. */
export interface WantedFile {
  /** What messages call it. */
  readonly name: string
  readonly url: string
  /** `sha256:` and 64 hex digits. */
  readonly digest: string
  /** Exact size, bytes; undefined where nobody said. */
  readonly size_bytes?: number
  /** Most bytes it may have where `size_bytes` does not say. */
  readonly max_bytes: number
  /** Where its bytes are gathered; what is there from an earlier attempt is used. */
  readonly part: string
  /** Where it is once it is complete, proven by its digest and on disk. */
  readonly target: string
}

/** A file could not be fetched. The message names hosts and files, never a query, a header or a credential. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
  /**
   * `transient`: trying again may help, and what has been gathered is kept. `refused`: by our rules or by the server, for good.
   * `size_mismatch`, `digest_mismatch`: not the file that was announced. `io`: this machine's disk.
   */
  readonly kind: 'transient' | 'refused' | 'size_mismatch' | 'digest_mismatch' | 'io'
  constructor(kind: FetchError['kind'], message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.kind = kind
  }
}

/** Where models are fetched from, within the egress rules. */
export interface ModelSource {
  /** Why this URL may not be asked for; undefined where it may. */
  refusal(url: string): string | undefined
  /**
   * Brings one file to its target.
   * @param onBytes bytes of the file on disk, each time there are more (or, where it begins anew, fewer)
   * @throws FetchError; the signal's reason where it aborts
   */
  fetch(file: WantedFile, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void>
}

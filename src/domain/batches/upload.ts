/** A file on its way in. */
export interface UploadedFile {
  /** The form's name of it. */
  readonly field: string
  readonly filename: string
  /** Rejects with DomainError payload_too_large where there is more than may be, and where the sender has gone. */
  readonly content: AsyncIterable<Uint8Array>
}

/** A form with one file, read as it comes: nothing of the file is held. */
export interface Upload {
  /**
   * Reads the form once. Resolves with its other fields when `onFile` is through.
   * @throws DomainError what is wrong with the form; what `onFile` rejects with
   */
  receive(onFile: (file: UploadedFile) => Promise<void>): Promise<ReadonlyMap<string, string>>
}

/** The database is not opened; the message says why and what to do about it. What was found is as it was. */
export class StorageRefusedError extends Error {
  override readonly name = 'StorageRefusedError'
}

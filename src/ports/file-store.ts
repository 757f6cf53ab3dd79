import type { FileRecord } from '../domain/batches/file.ts'

/** Which complete files of an owner to list, newest first. */
export interface FileFilter {
  readonly owner: string
  readonly purpose?: FileRecord['purpose']
  /** Only files older than this one. */
  readonly after?: string
  readonly limit: number
}

/** Reads what `file_put` and `file_part` facts wrote. Contents stand apart from what is known of them. */
export interface FileStore {
  /** Complete or not. */
  get(owner: string, file_id: string): Promise<FileRecord | undefined>
  list(filter: FileFilter): Promise<FileRecord[]>
  /** Everybody's that are not complete. */
  incomplete(): Promise<FileRecord[]>
  part(owner: string, file_id: string, part: number): Promise<string | undefined>
  /** Deletes all parts of a file, a few at a time, so that nobody waits long behind it. */
  clear(owner: string, file_id: string): Promise<void>
}

/** What is known of a file; its content is kept apart from it, in parts. Unique by its id among the files of its owner. */
export interface FileRecord {
  readonly owner: string
  readonly file_id: string
  readonly filename: string
  readonly purpose: 'batch' | 'batch_output'
  /** Size of the content in UTF-8. */
  readonly bytes: number
  /** Number of its parts, which are numbered from 0. */
  readonly parts: number
  /** Milliseconds since the epoch. */
  readonly created_at: number
  /** Only a complete file exists for its owner: another is being sent, or was cut off, or is being deleted. */
  readonly state: 'complete' | 'incomplete'
}

/** A piece of a file's content, cut anywhere between two characters. */
export interface FilePart {
  readonly owner: string
  readonly file_id: string
  readonly part: number
  readonly text: string
}

/** Most characters of a part: few enough that nobody waits long behind it, enough that a large file has few of them. */
export const part_chars = 64 * 1024

/**
 * The lines of a text that comes in pieces, without their ends and without a byte order mark before the first; empty ones count, the empty rest
 * after the last end does not.
 * @throws RangeError a line is longer than `most_chars`
 */
export async function* linesOf(pieces: AsyncIterable<string>, most_chars: number): AsyncGenerator<string> {
  let rest = ''
  let marked = true
  for await (const piece of pieces) {
    // What is split is the piece alone: a long line costs no more than a short one.
    const [head = '', ...lines] = (marked && piece.startsWith('\ufeff') ? piece.slice(1) : piece).split('\n')
    if (piece !== '') marked = false
    rest += head
    if (rest.length > most_chars) throw new RangeError(`a line has more than ${most_chars} characters`)
    for (const line of lines) {
      yield withoutReturn(rest)
      rest = line
    }
  }
  if (rest !== '') yield withoutReturn(rest)
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

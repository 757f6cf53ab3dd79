import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { codeOf } from '../../domain/errors.ts'

/** How a file is sent, by the encoding that the reader takes; the file as it is has none. */
type Encoding = 'br' | 'gzip' | 'identity'

/** A file of the page, in memory. */
export interface PageFile {
  readonly type: string
  /** Changes with the content; in quotes, as the header has it. */
  readonly etag: string
  readonly content: Readonly<Record<Encoding, Buffer>>
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

const folder = new URL('../../../web/dist/', import.meta.url)

/**
 * Every file of the built page by its path, `/` and `/assets/...`; nothing else of the file system can be asked for. Empty where it is not built.
 * @throws Error where a file cannot be read, or its compressed ones are missing
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const files = new Map<string, PageFile>()
  for (const name of names.map((found) => found.replaceAll('\\', '/'))) {
    const type = types[name.split('.').at(-1) ?? '']
    if (type === undefined) continue
    const [identity, br, gzip] = await Promise.all(['', '.br', '.gz'].map((end) => readFile(new URL(name + end, folder))))
    if (identity === undefined || br === undefined || gzip === undefined) throw new Error(`${name} is not compressed`)
    const etag = `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`
    files.set(name === 'index.html' ? '/' : `/${name}`, { type, etag, content: { br, gzip, identity } })
  }
  return files
}

/** The encoding to send by an `Accept-Encoding`: the smallest that is named and not refused. */
export function encodingFor(accept: string): Encoding {
  const taken = new Set(
    accept
      .split(',')
      .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
      .map((part) => part.split(';')[0]?.trim().toLowerCase()),
  )
  return taken.has('br') ? 'br' : taken.has('gzip') ? 'gzip' : 'identity'
}

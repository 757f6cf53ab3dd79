import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'

/** Where a page begins, as a service counts: it tells how many things others have. */
interface Paged {
  readonly cursor?: string | undefined
}

/** Keys of this run of the daemon. */
const mac = randomBytes(32)
const cipher = randomBytes(32)
const algorithm = 'aes-256-ctr'
/** Cursors of services are shorter, characters: all of them look alike. */
const width = 16
const tagBytes = 16

/**
 * One page of a list whose cursors mean something to nobody but the key that asks: the text of a cursor, encrypted, and what it was made of as
 * the initialization vector (RFC 5297, section 1.3).
 * @param what the list; a cursor is good for no other
 * @throws DomainError invalid_params where the cursor is of another list, another key or another run
 */
export async function pageOf<Q extends Paged, P extends { next_cursor?: string }>(
  what: string,
  { name }: Principal,
  query: Q,
  list: (query: Q) => P | Promise<P>,
): Promise<P> {
  const scope = `${what} ${name}`
  const page = await list(query.cursor === undefined ? query : { ...query, cursor: opened(scope, query.cursor) })
  return page.next_cursor === undefined ? page : { ...page, next_cursor: sealed(scope, page.next_cursor) }
}

const tagOf = (scope: string, text: string): Buffer => createHmac('sha256', mac).update(`${scope} ${text}`).digest().subarray(0, tagBytes)

function sealed(scope: string, cursor: string): string {
  const text = cursor.padEnd(width)
  const tag = tagOf(scope, text)
  return Buffer.concat([tag, createCipheriv(algorithm, cipher, tag).update(text)]).toString('base64url')
}

function opened(scope: string, cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url')
  const tag = bytes.subarray(0, tagBytes)
  const text = createDecipheriv(algorithm, cipher, tag).update(bytes.subarray(tagBytes)).toString()
  if (!timingSafeEqual(tag, tagOf(scope, text)))
    throw new DomainError(
      'invalid_params',
      'query.cursor: is none of this list since the daemon has started; leave it out to begin with the first page',
    )
  return text.trimEnd()
}

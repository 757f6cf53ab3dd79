import type { ServerResponse } from 'node:http'
import type { ComingBody } from '../domain/stream/frame-source.ts'
import type { Clock } from '../ports/clock.ts'
import { askBeforeHead } from './half-closed.ts'
import { head_ms } from './sse.ts'

/** How often a blank keeps a connection open whose answer is not there yet, ms. */
const blank_ms = 15_000

/**
 * Answers with a JSON body that comes later. While it is waited for, blanks go out, which JSON allows before a value. A failure before the
 * first blank is thrown; after it the connection is cut, for a body that ends well would be taken for the answer.
 * @param send ends the response with a body
 * @throws what the body rejects with
 */
export async function sendComing(
  res: ServerResponse,
  coming: ComingBody<unknown>,
  clock: Clock,
  send: (body: string) => void,
): Promise<void> {
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  askBeforeHead(res)
  let cancelBlanks = (): void => undefined
  const cancelHead = clock.after(head_ms, () => {
    res.writeHead(200)
    res.write(' ')
    cancelBlanks = clock.every(blank_ms, () => void res.write(' '))
  })
  // Whoever has left is written nothing more, however long the body takes to end.
  const leave = (): void => {
    cancelHead()
    cancelBlanks()
    coming.close()
  }
  res.once('close', leave)
  try {
    const body = await coming.value
    if (!res.destroyed) send(JSON.stringify(body))
  } catch (error) {
    if (!res.destroyed) throw error
  } finally {
    res.off('close', leave)
    leave()
  }
}

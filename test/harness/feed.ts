import { request } from 'node:http'
import { framesOf, type Mismatch } from '../../cli/contract/stream.ts'
import type { Received } from './contract.ts'
import { inTime } from './wait.ts'

const idOf = /^[0-9a-f]{16}-[1-9][0-9]*$/

/** What a feed, as far as it came, has against the contract. @param resumed it need not begin with a snapshot */
export function feedProblems<S>(text: string, events: Readonly<Record<string, S>>, mismatch: Mismatch<S>, resumed: boolean): string[] {
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
  const frames = whole === '' ? [] : framesOf(whole)
  const problems = frames.flatMap(({ event = 'message', id, data }) => {
    const schema = events[event]
    const wrong = schema === undefined ? 'is not declared' : mismatch(schema, data)
    const well = event === 'sample' ? id === undefined : id !== undefined && idOf.test(id)
    return [...(wrong === undefined ? [] : [`${event}: ${wrong}`]), ...(well ? [] : [`${event} has the id ${String(id)}`])]
  })
  if (!resumed && frames[0]?.event !== 'snapshot') problems.push(`the first frame is ${String(frames[0]?.event)}`)
  return problems
}

/** An answer as far as its first frame, for one that never ends; all of it where it does. */
export function beginning(url: string, headers: Readonly<Record<string, string>>): Promise<Received> {
  const received = new Promise<Received>((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (response) => {
      let text = ''
      const finish = (): void => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        sent.destroy()
      }
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (response.statusCode === 200 && text.includes('\n\n')) finish()
      })
      response.on('end', finish)
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
  return inTime(received, `the beginning of ${url}`)
}

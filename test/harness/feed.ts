import { request } from 'node:http'
import type { Received } from './contract.ts'
import { inTime } from './wait.ts'

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

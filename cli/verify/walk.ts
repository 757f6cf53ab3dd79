import { ConnectionError } from '../../sdk/src/index.ts'
import type { Received } from '../contract/answer.ts'
import type { Promised } from './promise.ts'

/** One answer that was held to the contract. */
export interface Check {
  readonly operation: string
  readonly what: string
  /** Empty where it was kept. */
  readonly problems: readonly string[]
  readonly ms: number
  /** Why it was not made. */
  readonly skipped?: string
}

/** A request of an operation, and what the contract says it is answered with. */
export interface Asked {
  readonly what: string
  readonly status: number
  readonly id?: string
  readonly query?: string
  /** Another key than the deployment's; null sends none. */
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, or a text as it is. */
  readonly body?: unknown
  /** Of a stream that never ends: it is read up to its first event. */
  readonly endless?: boolean
  /** What the answer has to be beyond the schema: says what it is not. */
  readonly also?: (received: Received) => string | undefined
}

/** How long one answer may take, ms; streams end with their tasks. */
const answer_ms = 120_000

/** Asks a deployment one thing after another and keeps what its answers have against the contract. */
export class Walk {
  readonly checks: Check[] = []
  private readonly url: string
  private readonly key: string
  private readonly promised: Promised
  private readonly told: (check: Check) => void

  /** @param told is called with each check when it is done */
  constructor(url: string, key: string, promised: Promised, told: (check: Check) => void) {
    this.url = url
    this.key = key
    this.promised = promised
    this.told = told
  }

  /** Asks, and keeps what comes. @throws ConnectionError where no answer comes */
  async ask(operation: string, { what, status, also, ...rest }: Asked): Promise<Received | undefined> {
    const name = this.promised.nameOf(operation)
    if (name === undefined) {
      this.keep({ operation, what, problems: [], ms: 0, skipped: 'the contract does not have it' })
      return undefined
    }
    const begun = performance.now()
    const received = await this.send(name, rest)
    const problems = this.promised.problems(operation, received, rest.headers?.['Last-Event-ID'] !== undefined)
    if (received.status !== status) problems.unshift(`the status is ${received.status}, not ${status}: ${received.text.slice(0, 300)}`)
    const more = problems.length === 0 ? also?.(received) : undefined
    this.keep({ operation, what: `${status} ${what}`, problems: more === undefined ? problems : [more], ms: performance.now() - begun })
    return problems.length === 0 ? received : undefined
  }

  /** Notes every operation that was not asked for. */
  skipOthers(skipped: string): void {
    const asked = new Set(this.checks.map(({ operation }) => operation))
    for (const operation of this.promised.ids)
      if (!asked.has(operation)) this.keep({ operation, what: 'not asked', problems: [], ms: 0, skipped })
  }

  private keep(check: Check): void {
    this.checks.push(check)
    this.told(check)
  }

  private async send(
    name: string,
    { id = '', query = '', key = this.key, headers = {}, body, endless = false }: Omit<Asked, 'what' | 'status'>,
  ): Promise<Received> {
    const [method = '', path = ''] = name.split(' ')
    try {
      const response = await fetch(`${this.url}${path.replace(/\{\w+\}/, encodeURIComponent(id))}${query}`, {
        method,
        signal: AbortSignal.timeout(answer_ms),
        headers: {
          ...(key === null ? {} : { 'X-API-Key': key }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        text: await (endless ? firstEvent(response) : response.text()),
      }
    } catch (cause) {
      throw new ConnectionError('No answer came.', { cause })
    }
  }
}

/** The beginning of a stream, up to where its first event ends; all of it where it ends before. */
async function firstEvent({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  // To leave the loop cancels the stream.
  for await (const bytes of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true })
    const end = /^event: [^]*?\n\n/m.exec(text)
    if (end !== null) return text.slice(0, end.index + end[0].length)
  }
  return text
}

import { OrchestratordError, type Client } from '../../sdk/src/index.ts'

/** A task that ended well. All times are the client's, but `queue_ms`, which is the daemon's. */
export interface Done {
  readonly priority: 'interactive' | 'batch'
  readonly first_token_ms: number
  readonly total_ms: number
  readonly tokens_out: number
  /** When its start was predicted at acceptance, and when it came; both from acceptance. */
  readonly predicted_start_ms: number
  readonly queue_ms: number
}

/** Words of the prompts, in turn. */
const lengths = [8, 40, 200, 8, 800, 40] as const

/** Load of clients that each have one task at a time. */
export class Load {
  readonly done: Done[] = []
  readonly failures: string[] = []
  private readonly client: Client
  private readonly model: string | undefined
  private readonly max_tokens: number

  constructor(client: Client, model: string | undefined, max_tokens: number) {
    this.client = client
    this.model = model
    this.max_tokens = max_tokens
  }

  /** Runs so many tasks. @returns how long it took, ms @throws the signal's reason */
  async run(tasks: number, clients: number, signal: AbortSignal): Promise<number> {
    const begun = performance.now()
    let next = 0
    const work = async (): Promise<void> => {
      while (next < tasks) await this.one(next++, signal)
    }
    await Promise.all(Array.from({ length: Math.min(clients, tasks) }, work))
    return performance.now() - begun
  }

  private async one(n: number, signal: AbortSignal): Promise<void> {
    const begun = performance.now()
    // Every fourth is batch. Prompts begin differently, so that no cache answers for the engine.
    const priority = n % 4 === 3 ? 'batch' : 'interactive'
    const words = lengths[n % lengths.length] ?? 8
    const prompt = `${n} ${'once upon a time there was a fox '.repeat(Math.ceil(words / 8))}`.trimEnd()
    const given = {
      prompt,
      priority,
      max_tokens: this.max_tokens,
      seed: n,
      ...(this.model === undefined ? {} : { model_ref: this.model }),
    } as const
    let first_token_ms: number | undefined
    let predicted_start_ms = 0
    try {
      for await (const event of this.client.tasks.run(given, { signal })) {
        if (event.event === 'started') ({ predicted_start_ms } = event.data)
        else if (event.event === 'token' || event.event === 'reasoning') first_token_ms ??= performance.now() - begun
        else if (event.event === 'end') {
          const total_ms = performance.now() - begun
          const { tokens_out, queue_ms } = event.data
          this.done.push({ priority, first_token_ms: first_token_ms ?? total_ms, total_ms, tokens_out, predicted_start_ms, queue_ms })
        }
      }
    } catch (error) {
      if (!(error instanceof OrchestratordError)) throw error
      this.failures.push(error.message)
    }
  }
}

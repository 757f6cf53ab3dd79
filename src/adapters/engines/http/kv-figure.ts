import type { EngineClient } from './client.ts'
import type { Dialect, ServerProps } from './dialect.ts'

/** How full the KV cache of a server is, as it says itself. */
export class KvFigure {
  private readonly dialect: Dialect
  private readonly client: EngineClient
  private readonly server: ServerProps
  private share: number | undefined
  private asking = false
  private runs = 0
  /** Something has been generated since it was asked. */
  private old = true

  constructor(dialect: Dialect, client: EngineClient, server: ServerProps) {
    this.dialect = dialect
    this.client = client
    this.server = server
  }

  /** Something is generated until `ended` is called. */
  begun(): void {
    this.runs++
  }

  ended(): void {
    this.runs--
    this.old = true
  }

  /** The last figure; asking for it fetches the next one. */
  get(): number | undefined {
    if (!this.asking && (this.dialect.kvWakes !== true || this.old || this.runs > 0)) void this.ask()
    return this.share
  }

  private async ask(): Promise<void> {
    this.asking = true
    this.old = false
    try {
      // A signal of what ends with its client.
      this.share = await this.dialect.kvUsage?.(this.client, this.server, new AbortController().signal)
    } catch {
      // A figure that is not told, or a server that is gone: its health says so.
      this.share = undefined
    } finally {
      this.asking = false
    }
  }
}

/** What a supervisor is told first: what it runs. */
export interface RunCommand {
  /** The program and its arguments; never empty. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly stop_ms: number
}

/** What it may be told then: to end the server. It does so, too, when the channel closes. */
export const stop = 'stop'

/** How a server's process came to its end when nobody had asked for it, or why there was none. */
export type Ending =
  | { readonly type: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'failed'; readonly message: string }

/** The one order to a supervisor. */
export interface RunCommand {
  /** The program and its arguments; never empty. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly stop_ms: number
}

/** How a server's first process came to its end, or why there was none. */
export type Ending =
  | { readonly type: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'failed'; readonly message: string }

import { ApiError, ConnectionError, OrchestratordError } from '../../sdk/src/index.ts'

/** What a command's exit status says; `orchestratord help` lists them. */
export const exit = { ok: 0, failed: 1, usage: 2, refused: 3, unreachable: 4, interrupted: 130 } as const

/** The list that `orchestratord help` ends with. */
export const exitText = `Exit status:
  0    it is done
  1    it failed: a task ended with an error, a check did not pass
  2    the command line is wrong
  3    the daemon refused
  4    no daemon answers there
  130  interrupted by Ctrl-C`

/** Why a command ends without being done: one line that says what to do, and its exit status. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly status: number

  constructor(message: string, status: number = exit.failed, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** A wrong command line. */
export const usageError = (message: string): CommandError => new CommandError(message, exit.usage)

/** What Ctrl-C aborts with. */
export const interrupted = new CommandError('interrupted', exit.interrupted)

/** What went wrong as one line with its exit status. @throws the error itself where it is a bug of ours */
export function explain(error: unknown, url: string): CommandError {
  if (error instanceof CommandError) return error
  if (error instanceof ApiError) return new CommandError(refusal(error), exit.refused, { cause: error })
  if (error instanceof ConnectionError)
    return new CommandError(
      `no daemon answers at ${url}${reasonOf(error)}: start one with "orchestratord", or name it with --url`,
      exit.unreachable,
    )
  if (error instanceof OrchestratordError) return new CommandError(oneLine(error.message))
  throw error
}

function refusal({ status, code, message, retry_after_ms }: ApiError): string {
  const advice = status === 401 || status === 403 ? ' Name a key with --key or ORCHD_KEY.' : ''
  const again = retry_after_ms === undefined ? '' : ` Try again in ${Math.ceil(retry_after_ms / 1000)} s.`
  return `refused (${status} ${code}): ${oneLine(message)}${advice}${again}`
}

/** The innermost cause's code: ECONNREFUSED and the like. */
function reasonOf({ cause }: Error): string {
  let at: unknown = cause
  let code: string | undefined
  while (at instanceof Error) {
    if ('code' in at && typeof at.code === 'string') ({ code } = at as { code: string })
    at = at.cause
  }
  return code === undefined ? '' : ` (${code})`
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

import { emitKeypressEvents, type Key } from 'node:readline'
import { explain } from '../common/exit.ts'
import type { Board } from './board.ts'
import { Screen, type Terminal } from './screen.ts'

/** How a board is watched. */
export interface Watching {
  readonly url: string
  /** Time between two looks, ms. */
  readonly every: number
}

/**
 * Redraws until `q`. Looks follow one another, and none is waited for without end.
 * @throws the signal's reason; what the first look throws; a bug, with the terminal as it was
 */
export async function watch(board: Board, { url, every }: Watching, signal: AbortSignal): Promise<void> {
  const { stdin, stdout } = process
  const terminal = terminalOf(stdout)
  const stop = new AbortController()
  const stopped = AbortSignal.any([signal, stop.signal])
  const look = (): Promise<unknown> => board.refresh(terminal.rows, stopped)
  await look()
  const screen = new Screen(terminal)
  const over = Promise.withResolvers<undefined>()
  const pauses = new Pauses(every)
  const draw = (): void => screen.draw(board.lines())
  /** Tells what went wrong, a bug excepted. */
  const explained = (tell: (message: string) => void) => (error: unknown) => {
    if (!stopped.aborted) tell(explain(error, url).message)
  }
  const rounds = async (): Promise<void> => {
    while (await pauses.next()) {
      await look().catch(explained((message) => board.tellTrouble(message)))
      if (stopped.aborted) return
      draw()
    }
  }
  const act = (does: () => Promise<string>): void =>
    void does()
      .then((told) => board.tell(told))
      .catch(explained((message) => board.tell(message)))
      .then(() => pauses.wake())
      .catch(over.reject)
  const press = (text: string | undefined, { name = text, ctrl }: Key): void => {
    // In raw mode the terminal makes no signal of it.
    if (ctrl === true && name === 'c') return void process.kill(process.pid, 'SIGINT')
    if (name === 'q') {
      over.resolve(undefined)
      return
    }
    const does = board.press(name ?? '')
    draw()
    if (does !== undefined) act(does)
  }
  const resize = (): void => {
    screen.forget()
    draw()
    pauses.wake()
  }
  const leave = (): void => {
    over.reject(signal.reason)
  }
  emitKeypressEvents(stdin)
  screen.open()
  stdin.setRawMode(true)
  stdin.on('keypress', press)
  stdout.on('resize', resize)
  signal.addEventListener('abort', leave, { once: true })
  draw()
  rounds().catch(over.reject)
  try {
    await over.promise
  } finally {
    stop.abort()
    pauses.end()
    signal.removeEventListener('abort', leave)
    stdout.off('resize', resize)
    stdin.off('keypress', press)
    stdin.setRawMode(false)
    stdin.pause()
    screen.close()
  }
}

/** A terminal that does not know its size, as one without a person before it may, has the usual one. */
function terminalOf(stdout: NodeJS.WriteStream): Terminal {
  return {
    get columns() {
      return stdout.columns || 80
    },
    get rows() {
      return stdout.rows || 24
    },
    write: (text) => void stdout.write(text),
  }
}

/** The time between rounds, which may be cut short. */
class Pauses {
  private readonly ms: number
  private timer: NodeJS.Timeout | undefined
  private done: (() => void) | undefined
  private woken = false
  private ended = false

  constructor(ms: number) {
    this.ms = ms
  }

  /** Waits for the next round. @returns whether there is one */
  async next(): Promise<boolean> {
    if (!this.woken && !this.ended)
      await new Promise<void>((resolve) => {
        this.done = resolve
        this.timer = setTimeout(resolve, this.ms)
      })
    clearTimeout(this.timer)
    this.woken = false
    return !this.ended
  }

  /** Begins the next round now, or as soon as the present one is over. */
  wake(): void {
    this.woken = true
    this.done?.()
  }

  /** There is no next round. */
  end(): void {
    this.ended = true
    this.wake()
  }
}

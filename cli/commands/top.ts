import type { Command } from 'commander'
import { emitKeypressEvents, type Key } from 'node:readline'
import { asking, clientOf, seconds, type Asking } from '../common/command.ts'
import { explain } from '../common/exit.ts'
import { interruptible } from '../common/interrupt.ts'
import { say, sayJson } from '../common/output.ts'
import { Board } from '../top/board.ts'
import { Screen } from '../top/screen.ts'

interface Options extends Asking {
  readonly every: number
}

/** Lines where standard output is no terminal. */
const rows_of_a_file = 60

/** `top`: who runs and who waits, live. */
export const top = (): Command =>
  asking('top', 'Watch pools and queues live, cancel tasks and drain pools; once and as text where the output is no terminal', [
    'orchestratord top',
    'orchestratord top --every 0.5',
    'orchestratord top --json',
  ])
    .addOption(seconds('--every', 'how often it looks', 1000))
    .action((options: Options) =>
      interruptible(async (signal) => {
        const board = new Board(clientOf(options), options.url)
        if (options.json !== true && process.stdout.isTTY && process.stdin.isTTY) return watch(board, options, signal)
        const snapshot = await board.refresh(rows_of_a_file, signal)
        if (options.json === true) sayJson(snapshot)
        else say(board.lines().slice(0, -1).join('\n'))
      }),
    )

/** Redraws until `q`. @throws the signal's reason; what the first look throws */
async function watch(board: Board, { every, url }: Options, signal: AbortSignal): Promise<void> {
  const { stdin, stdout } = process
  const look = async (): Promise<unknown> => board.refresh(stdout.rows, signal)
  await look()
  const screen = new Screen(stdout)
  const explaining =
    (tell: (message: string) => void) =>
    (error: unknown): void => {
      if (!signal.aborted) tell(explain(error, url).message)
    }
  const say = explaining((message) => board.tell(message))
  const sayTrouble = explaining((message) => board.tellTrouble(message))
  const draw = (): void => screen.draw(board.lines())
  const resize = (): void => {
    screen.forget()
    draw()
  }
  emitKeypressEvents(stdin)
  screen.open()
  stdin.setRawMode(true)
  try {
    await new Promise<void>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const again = (): void => {
        clearTimeout(timer)
        timer = setTimeout(() => void look().catch(sayTrouble).then(draw).then(again), every)
      }
      const leave = (): void => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      }
      const press = (text: string | undefined, { name = text, ctrl }: Key): void => {
        // In raw mode the terminal makes no signal of it.
        if (ctrl === true && name === 'c') return void process.kill(process.pid, 'SIGINT')
        if (name === 'q') {
          clearTimeout(timer)
          signal.removeEventListener('abort', leave)
          resolve()
          return
        }
        const act = board.press(name ?? '')
        draw()
        if (act === undefined) return
        void act()
          .then((told) => board.tell(told))
          .then(look)
          .catch(say)
          .then(draw)
      }
      stdin.on('keypress', press)
      stdout.on('resize', resize)
      signal.addEventListener('abort', leave, { once: true })
      draw()
      again()
    })
  } finally {
    stdout.off('resize', resize)
    stdin.removeAllListeners('keypress')
    stdin.setRawMode(false)
    stdin.pause()
    screen.close()
  }
}

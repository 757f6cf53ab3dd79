import type { Command } from 'commander'
import { asking, clientOf, seconds, type Asking } from '../common/command.ts'
import { interruptible } from '../common/interrupt.ts'
import { say, sayJson } from '../common/output.ts'
import { Board } from '../top/board.ts'
import { watch } from '../top/watch.ts'

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

import type { Command } from 'commander'
import { asking, clientOf, wholeNumber, type Asking } from '../common/command.ts'
import { CommandError } from '../common/exit.ts'
import { interruptible } from '../common/interrupt.ts'
import { say, sayJson } from '../common/output.ts'
import { Load } from '../bench/load.ts'
import { reportOf, textOf } from '../bench/report.ts'

interface Options extends Asking {
  readonly model?: string
  readonly tasks: number
  readonly clients: number
  readonly maxTokens: number
}

/** `bench`: load on a daemon, and what comes of it. */
export const bench = (): Command =>
  asking(
    'bench',
    'Put load on a daemon: short and long prompts, interactive and batch; say how fast it is and how good its predictions are',
    [
      'orchestratord bench --model mock:v1 --tasks 50 --clients 8',
      'orchestratord bench --url http://127.0.0.1:8080 --model mock:v1 --tasks 20 --json',
    ],
  )
    .option('-m, --model <name>', 'the model; the only one where one is served')
    .option('--tasks <number>', 'how many tasks', wholeNumber(1, 1_000_000), 100)
    .option('--clients <number>', 'how many clients, each with one task at a time', wholeNumber(1, 10_000), 16)
    .option('--max-tokens <number>', 'most tokens of an answer', wholeNumber(1, 2 ** 31 - 1), 64)
    .action((options: Options) =>
      interruptible(async (signal) => {
        const client = clientOf(options)
        await client.capabilities({ signal })
        const load = new Load(client, options.model, options.maxTokens)
        const took_ms = await load.run(options.tasks, options.clients, signal)
        const report = reportOf(load.done, load.failures, took_ms)
        if (options.json === true) sayJson(report)
        else say(textOf(report))
        if (load.failures.length > 0)
          throw new CommandError(`${load.failures.length} of ${options.tasks} tasks failed: ${load.failures[0] ?? ''}`)
      }),
    )

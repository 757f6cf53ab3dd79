import { Option, type Command } from 'commander'
import { text } from 'node:stream/consumers'
import { asking, clientOf, seconds, wholeNumber, type Asking } from '../common/command.ts'
import { usageError } from '../common/exit.ts'
import { interruptible } from '../common/interrupt.ts'
import { sayJson } from '../common/output.ts'
import { Teller } from '../common/teller.ts'

interface Options extends Asking {
  readonly model?: string
  readonly system?: string
  readonly raw?: boolean
  readonly seed?: number
  readonly maxTokens?: number
  readonly priority?: 'interactive' | 'batch'
  readonly deadline?: number
  readonly patience: number
}

/** `run`: one task, its text on standard output. */
export const run = (): Command =>
  asking('run [prompt]', 'Run a task and print its text; the prompt comes from standard input where none is given', [
    'orchestratord run "Tell me a story about a fox." --model mock:v1',
    'orchestratord run "Hello" --model mock:v1 --seed 7 --max-tokens 16 --json',
    'echo "Once upon a time" | orchestratord run --model mock:v1 --raw',
  ])
    .option('-m, --model <name>', 'the model; the only one where one is served')
    .option('--system <text>', 'what the model is told before')
    .option('--raw', 'send the prompt as it is, not as the message of a chat')
    .option('--seed <number>', 'the same seed gives the same text where the engine can', wholeNumber(0, 2 ** 32 - 1))
    .option('--max-tokens <number>', 'most tokens of the answer', wholeNumber(1, 2 ** 31 - 1))
    .addOption(new Option('--priority <priority>', 'the highest of the key unless given').choices(['interactive', 'batch']))
    .addOption(seconds('--deadline', 'the task should have ended by then'))
    .addOption(seconds('--patience', 'how long it waits for a full queue or a restart', 120_000))
    .action(runTask)

async function runTask(given: string | undefined, options: Options): Promise<void> {
  const prompt = given ?? (process.stdin.isTTY ? '' : (await text(process.stdin)).trimEnd())
  if (prompt === '') throw usageError('a prompt is missing: orchestratord run "Tell me a story"')
  if (options.raw === true && options.system !== undefined)
    throw usageError('--system needs a chat, and --raw sends none: leave one of them out')
  const { model, system, raw, seed, maxTokens, priority, deadline } = options
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user' as const, content: prompt },
  ]
  const client = clientOf(options, options.patience)
  await interruptible(async (signal) => {
    // A task waits for a daemon that restarts; one that is not there is said at once.
    await client.capabilities({ signal })
    const task = client.tasks.run(
      {
        ...(raw === true ? { prompt } : { messages }),
        ...(model === undefined ? {} : { model_ref: model }),
        ...(seed === undefined ? {} : { seed }),
        ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
        ...(priority === undefined ? {} : { priority }),
        ...(deadline === undefined ? {} : { deadline_ms: deadline }),
      },
      { signal },
    )
    if (options.json === true) for await (const event of task) sayJson({ task_id: task.task_id, ...event })
    else await new Teller().tell(task)
  })
}

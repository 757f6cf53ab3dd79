import type { Command } from 'commander'
import { createInterface } from 'node:readline'
import type { components } from '../../sdk/src/index.ts'
import { asking, clientOf, wholeNumber, type Asking } from '../common/command.ts'
import { explain, interrupted } from '../common/exit.ts'
import { note, sayJson, styled } from '../common/output.ts'
import { Teller } from '../common/teller.ts'

type Message = components['schemas']['ChatMessage']

interface Options extends Asking {
  readonly model?: string
  readonly system?: string
  readonly maxTokens?: number
}

/** `chat`: a conversation, a task for each turn. */
export const chat = (): Command =>
  asking('chat', 'Talk to a model, a line at a time; Ctrl-C ends an answer, Ctrl-D the conversation', [
    'orchestratord chat --model mock:v1',
    'orchestratord chat --model mock:v1 --system "You are brief." --max-tokens 200',
  ])
    .option('-m, --model <name>', 'the model; the only one where one is served')
    .option('--system <text>', 'what the model is told before')
    .option('--max-tokens <number>', 'most tokens of an answer', wholeNumber(1, 2 ** 31 - 1))
    .action(talk)

async function talk(options: Options): Promise<void> {
  const { model, system, maxTokens, json } = options
  const client = clientOf(options)
  await client.capabilities()
  const messages: Message[] = system === undefined ? [] : [{ role: 'system', content: system }]
  const terminal = process.stdin.isTTY
  const lines = createInterface({
    input: process.stdin,
    ...(terminal ? { output: process.stderr } : {}),
    prompt: styled('bold', '> ', process.stderr),
  })
  let answering: AbortController | undefined
  let idle: typeof interrupted | undefined
  const stop = (): void => {
    if (answering !== undefined) {
      answering.abort(interrupted)
      return
    }
    idle = interrupted
    lines.close()
  }
  // On a terminal it is readline that sees Ctrl-C.
  lines.on('SIGINT', stop)
  process.on('SIGINT', stop)
  if (terminal) lines.prompt()
  try {
    for await (const line of lines) {
      if (line.trim() !== '') {
        messages.push({ role: 'user', content: line })
        answering = new AbortController()
        const task = client.tasks.run(
          { messages, ...(model === undefined ? {} : { model_ref: model }), ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }) },
          { signal: answering.signal },
        )
        try {
          const content = json === true ? await task.text() : await new Teller().tell(task)
          if (json === true) sayJson({ task_id: task.task_id, role: 'assistant', content })
          messages.push({ role: 'assistant', content })
        } catch (error) {
          // What was not answered is not part of the conversation.
          messages.pop()
          const { message } = explain(error, options.url)
          if (!terminal) throw error
          note(`orchestratord: ${message}`)
        }
        answering = undefined
      }
      if (terminal) lines.prompt()
    }
  } finally {
    process.off('SIGINT', stop)
    lines.close()
  }
  if (idle !== undefined) throw idle
}

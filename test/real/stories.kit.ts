import assert from 'node:assert/strict'
import { patient } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { llamaServer } from '../harness/real-engines.ts'
import type { StreamClient } from '../harness/sse.ts'

const max_tokens = 32
const things = ['fox', 'owl', 'hare', 'bear', 'otter', 'heron', 'badger', 'turtle', 'wolf', 'whale']

/** Story number `n`: the same number is the same story. @param model_ref may be left out where there is one pool */
export const storyOf = (
  n: number,
  task_id: string,
  model_ref?: string,
): Readonly<Record<string, unknown>> & { readonly task_id: string } => ({
  ...{ task_id, prompt: `Once upon a time there was a ${things[n % things.length] ?? 'cat'}`, seed: n + 1, max_tokens },
  ...(model_ref === undefined ? {} : { model_ref }),
})

/** A pool whose llama-server the daemon starts, with the demonstration model. @param replayable false where its answers are to be gone on with */
export const managedPool = ({
  id,
  slots,
  replayable,
}: {
  readonly id: string
  readonly slots: number
  readonly replayable: boolean
}): Record<string, unknown> => ({
  ...{ id, engine: 'llamacpp', model: 'file:models/tinytales.gguf', ctx: 256, timeouts: patient },
  command: llamaServer('--model', '{model_path}', '--port', '{port}', '--parallel', '{slots}', '--ctx-size', '{ctx_total}').argv,
  replicas: [{ id: 'tales', slots }],
  ...(replayable ? {} : { replayable }),
})

/** An answer has its end, and that is not one of half an answer: as many tokens as were asked for, unless the model has ended it itself. */
export function assertEnd({ terminal, text }: Pick<StreamClient, 'terminal' | 'text'>): void {
  assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
  const { finish_reason, tokens_out } = terminal.data ?? {}
  if (finish_reason === 'length') assert.equal(tokens_out, max_tokens)
  else assert.match(text, /[.!?"}]\s*$/)
}

/** The text in the transcript of a task that has ended. */
export async function textOfTranscript(url: string, key: string, { terminal }: Pick<StreamClient, 'terminal'>): Promise<string> {
  const { json } = await call(url, `/v1/artifacts/${String(terminal?.data?.['artifact_id'])}`, { key })
  return (JSON.parse(String(json['content'])) as { readonly text: string }).text
}

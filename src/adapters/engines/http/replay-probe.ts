import type { GenerateRequest } from '../../../ports/engine.ts'
import type { ServerProps } from './dialect.ts'

const request: GenerateRequest = {
  prompt: { text: 'Once upon a time' },
  max_tokens: 24,
  seed: 20_261_126,
  sampling: { temperature: 1 },
  chat: {},
  kv: 'cold',
  session: '',
}

/**
 * Whether the server gives the same text for the same seed: alone, and beside another where it runs several. Two texts that are equal by
 * chance are possible where the model has hardly a choice; then nothing is lost by a replay either, for each part is compared when it comes.
 */
export async function provesReplay(
  run: (request: GenerateRequest) => Promise<string>,
  slots: number,
  { workloads }: ServerProps,
): Promise<boolean> {
  if (!workloads.includes('completion')) return false
  const alone = await run(request)
  const beside = slots > 1 ? run({ ...request, seed: request.seed + 1 }) : Promise.resolve('')
  const [again] = await Promise.all([run(request), beside])
  return alone === again
}

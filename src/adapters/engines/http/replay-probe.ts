import type { EngineProps, GenerateRequest } from '../../../ports/engine.ts'
import type { ServerProps } from './dialect.ts'
import { EngineFault } from './faults.ts'

const request: GenerateRequest = {
  prompt: { text: 'Once upon a time' },
  max_tokens: 24,
  seed: 20_261_126,
  sampling: { temperature: 1 },
  chat: {},
  kv: 'cold',
  session: '',
}

/** A run of a probe: its text, and what it took. */
export interface ProbeRun {
  readonly text: string
  readonly probe: NonNullable<EngineProps['probe']>
}

/**
 * Whether the server gives the same text for the same seed: alone, and beside another where it runs several. Two texts that are equal by
 * chance are possible where the model has hardly a choice; then nothing is lost by a replay either, for each part is compared when it comes. What it took alone is told as well.
 * One that refuses it, such as a cloud that takes conversations only, is not.
 */
export async function provesReplay(
  run: (request: GenerateRequest) => Promise<ProbeRun>,
  slots: number,
  { workloads }: ServerProps,
): Promise<Pick<EngineProps, 'replayable' | 'probe'>> {
  if (!workloads.includes('completion')) return { replayable: false }
  try {
    const alone = await run(request)
    const beside = slots > 1 ? run({ ...request, seed: request.seed + 1 }) : undefined
    const [again] = await Promise.all([run(request), beside])
    return { replayable: alone.text === again.text, probe: alone.probe }
  } catch (error) {
    if (error instanceof EngineFault && error.kind === 'refused') return { replayable: false }
    throw error
  }
}

import type { components } from '../../../generated/openai.ts'
import type { TaskRequest } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'

type Body = Pick<
  components['schemas']['ChatCompletionRequest'],
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'repetition_penalty'
  | 'repeat_penalty'
  | 'frequency_penalty'
  | 'presence_penalty'
  | 'logit_bias'
  | 'stop'
>

/** How tokens are chosen; what is null or does nothing counts as left out, so that it asks for nothing an engine may lack. */
export function samplingOf({
  temperature,
  top_p,
  top_k,
  min_p,
  repetition_penalty,
  repeat_penalty,
  frequency_penalty,
  presence_penalty,
  logit_bias,
  stop,
}: Body): Pick<TaskRequest, 'sampling'> {
  const stops = (typeof stop === 'string' ? [stop] : (stop ?? [])).filter((text) => text !== '')
  const sampling = {
    ...defined('temperature', temperature),
    ...defined('top_p', top_p),
    ...defined('top_k', typeof top_k === 'number' ? Math.max(0, top_k) : undefined),
    ...defined('min_p', min_p),
    ...defined('repeat_penalty', repetition_penalty ?? repeat_penalty),
    ...defined('frequency_penalty', frequency_penalty === 0 ? undefined : frequency_penalty),
    ...defined('presence_penalty', presence_penalty === 0 ? undefined : presence_penalty),
    ...(Object.keys(logit_bias ?? {}).length === 0 ? {} : defined('logit_bias', logit_bias)),
    ...(stops.length === 0 ? {} : { stop: stops }),
  }
  return Object.keys(sampling).length === 0 ? {} : { sampling }
}

/** A seed of any size as ours, 0 to 2^32 - 1. */
export const seedOf = (seed: number | null | undefined): Pick<TaskRequest, 'seed'> =>
  seed === null || seed === undefined ? {} : { seed: seed >>> 0 }

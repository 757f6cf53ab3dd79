import type { components } from '../../../generated/openai.ts'
import { refuseField } from '../../domain/errors.ts'
import type { TaskRequest } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'
import type { Translated } from '../common/translated.ts'
import { samplingOf, seedOf } from './sampling.ts'

/** Body of a completion. */
export type CompletionBody = components['schemas']['CompletionRequest']

/** What OpenAI lets an old completion have that does not say. */
const usual_tokens = 16

/** A text to go on with, as a task. @throws DomainError invalid_params where something that would change the meaning cannot be done */
export function completionTask(body: CompletionBody): Translated {
  if ((body.n ?? 1) !== 1) refuseField('n', 'only one answer is given')
  if ((body.best_of ?? 1) !== 1) refuseField('best_of', 'only one answer is made')
  if (body.echo === true) refuseField('echo', 'the prompt is not repeated')
  if ((body.suffix ?? '') !== '') refuseField('suffix', 'a text can only be gone on with')
  const [prompt, ...others] = typeof body.prompt === 'string' ? [body.prompt] : body.prompt
  if (typeof prompt !== 'string' || others.length > 0) return refuseField('prompt', 'must be one text')
  const request: TaskRequest = {
    ...{ workload: 'completion', determinism: 'best_effort', kv_hint: 'reuse', output_mode: 'text', prompt },
    ...defined('model_ref', body.model),
    ...(typeof body.logprobs === 'number' ? { logprobs: true, top_logprobs: body.logprobs } : {}),
    ...seedOf(body.seed),
    ...samplingOf(body),
  }
  return { request, most_tokens: body.max_tokens ?? usual_tokens }
}

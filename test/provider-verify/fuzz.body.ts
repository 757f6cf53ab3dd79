import { bodyOf, mismatch, type OperationId } from '../harness/contract.ts'
import type { Draft, Steer } from './fuzz.draft.ts'
import type { Known, Memory } from './fuzz.memory.ts'

/** Largest body of the daemon under test, bytes. */
export const body_bytes = 8192

/** The body of a request, as text. */
export function payloadOf(draft: Draft, known: Known | undefined, memory: Memory): string {
  const { op, spoil, reuse, steer } = draft
  if (spoil?.kind === 'text') return spoil.text
  if (spoil?.kind === 'none') return ''
  if (spoil?.kind === 'body') return JSON.stringify(spoil.value)
  const body = draft.body as Record<string, unknown>
  // A task may have no id; most are to be found again.
  if (op === 'createTask') body['task_id'] ??= draft.newId
  if (op === 'createArtifact') {
    const parent = reuse === undefined ? undefined : memory.pick('artifact', reuse)?.id
    if (parent !== undefined) body['parent'] = parent
    else if (draft.bearer) delete body['parent']
  } else if (steer !== undefined) steered(body, steer)
  if (op === 'createTask' && known !== undefined) {
    if (reuse !== undefined && reuse % 3 > 0) return known.payload ?? ''
    body['task_id'] = known.id
  }
  const text = JSON.stringify(body)
  if (spoil?.kind === 'twice') return JSON.stringify(text)
  return spoil?.kind === 'large' ? text.padEnd(body_bytes + 1) : text
}

/** What asks an engine for more than text. */
const chat = ['tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'reasoning_effort', 'logprobs', 'top_logprobs']

/** Makes a task from the schema one that its workload and a pool here allow. */
function steered(task: Record<string, unknown>, steer: Steer): void {
  const { model, max_tokens, ctx, deadline_ms, session, plain, without, placement } = steer
  Object.assign(
    task,
    { engine: 'mock', model_ref: model, max_tokens, ctx, deadline_ms, session_id: `session-${session}` },
    placement === undefined ? {} : { placement },
  )
  if (placement === undefined) delete task['placement']
  delete task['sampler_profile_version']
  if (task['seed'] === undefined) delete task['determinism']
  for (const field of plain ? chat : []) Reflect.deleteProperty(task, field)
  const sampling = task['sampling'] as Record<string, unknown> | undefined
  for (const field of plain ? ['frequency_penalty', 'presence_penalty', 'logit_bias'] : []) Reflect.deleteProperty(sampling ?? {}, field)
  conform(task, steer)
  for (const field of without) Reflect.deleteProperty(task, field)
}

/** Gives a task what its workload takes, and nothing else. */
function conform(task: Record<string, unknown>, { talk, plain }: Steer): void {
  const { workload = 'completion' } = task
  if (workload === 'completion') {
    delete task['inputs']
    if (talk !== undefined) {
      delete task['prompt']
      task['messages'] = plain ? talk : (task['messages'] ?? talk)
    } else {
      delete task['messages']
      task['prompt'] ??= 'Hello'
    }
    return
  }
  delete task['messages']
  delete task['sampling']
  task['inputs'] ??= ['one', 'two']
  if (workload === 'rerank') task['prompt'] ??= 'one'
  else delete task['prompt']
}

/** What a body gets that breaks the contract. */
export function bodyIsWrong(op: OperationId, payload: string, { spoil }: Draft): readonly number[] | undefined {
  if (payload === '') return [400]
  if (spoil?.kind === 'type' || spoil?.kind === 'encoding') return [400, 415]
  if (Buffer.byteLength(payload) > body_bytes) return [413]
  try {
    const body: unknown = JSON.parse(payload)
    return mismatch(bodyOf(op)!.schema, body) === undefined && isWellFormed(body) ? undefined : [400]
  } catch {
    // A zero where JSON begins is taken for UTF-16.
    return payload.slice(0, 4).includes('\0') ? [400, 415] : [400]
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWellFormed(inner))
}

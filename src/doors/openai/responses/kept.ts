import type { Kept } from '../../../domain/task.ts'
import type { ToolMark } from './tools.ts'

/** What is told of a response beside its task and its answer. It is durable with the task where the response can be asked for again. */
export interface KeptResponse extends Kept {
  readonly kind: 'response'
  /** The first message of the task is the instructions. */
  readonly instructed: boolean
  /** Tools that the model knows by another name, or in another form. */
  readonly marks: readonly ToolMark[]
  readonly background: boolean
  readonly store: boolean
  readonly max_output_tokens: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly previous_response_id: string | null
  readonly effort: string | null
  /** What the model thinks comes as a summary where this is not null. */
  readonly summary: string | null
}

/** What a response of this door keeps; undefined where the task answers something else. */
export function keptResponse(kept: Kept | undefined): KeptResponse | undefined {
  return kept?.kind === 'response' ? (kept as KeptResponse) : undefined
}

/** The id of a task's response. */
export const responseIdOf = (task_id: string): string => `resp_${task_id}`

/** The task of a response; what is no id of ours names none. */
export const taskIdOf = (response_id: string): string => response_id.replace(/^resp_/, '')

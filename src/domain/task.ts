import type { components } from '../../generated/api.ts'
import type { Run, Span } from './runs.ts'

type Schemas = components['schemas']

/** A task as a client sends it. */
export type TaskRequest = Schemas['TaskRequest']

/** Fields a task may leave out, and that have a value before it is placed. */
type DraftField = 'task_id' | 'session_id' | 'workload' | 'model_ref' | 'priority' | 'deadline_ms'

/** A request whose pool is not chosen yet: what depends on the pool may be left out. */
export type TaskDraft = TaskRequest & Required<Pick<TaskRequest, DraftField>>

/** A request with everything that it left out. */
export type TaskSpec = TaskDraft & Required<Pick<TaskRequest, 'engine' | 'ctx' | 'max_tokens'>>

/** A field that is filled in where a request leaves it out; of `sampling` each field by itself. */
export type FilledField = keyof TaskSpec | `sampling.${keyof Schemas['Sampling']}`

/** One message of a conversation. */
export type ChatMessage = Schemas['ChatMessage']
export type Tool = Schemas['Tool']
/** What an engine can beside generating text. */
export type Feature = Schemas['Feature']
/** What is embedded: a text, or the ids of its tokens. */
export type EmbeddingInput = NonNullable<TaskRequest['inputs']>[number]
/** What the 202 says. */
export type TaskAcceptedReply = Schemas['TaskAccepted']
/** A task as the wire shows it. */
export type TaskView = Schemas['Task']
/** Where a task is, for clients. */
export type TaskState = Schemas['TaskState']
/** Class of a task in its queue. */
export type Priority = Schemas['Priority']
/** What is asked of an engine. */
export type Workload = Schemas['Workload']
/** Kind of inference engine. */
export type EngineName = Schemas['Engine']
/** Why generation ended. */
export type FinishReason = Schemas['FinishReason']
/** What went wrong, for programs. */
export type ErrorCode = Schemas['ErrorCode']
/** Why a task failed, as it is recorded with the task. */
export type TaskError = Schemas['TaskError']

/** A task is unique among the tasks of the key that created it. */
export interface TaskKey {
  readonly owner: string
  readonly task_id: string
}

/** Map key of a task; `owner` cannot contain the separator. */
export const taskKeyOf = (owner: string, task_id: string): string => `${owner}/${task_id}`

/** What a door keeps with a task, so that it can tell of it later; `kind` says whose it is. */
export interface Kept {
  readonly kind: string
}

/** What acceptance fixes: the request with its seed, its place and the promises made in the 202. */
export interface AcceptedTask extends TaskKey {
  readonly request: TaskSpec
  /** Fields of the request that its sender left out. */
  readonly filled?: readonly FilledField[]
  readonly seed: number
  /** Tokens of the prompt, counted by the engine or estimated. */
  readonly prompt_tokens: number
  /** By engine and model, where pools of several may take the task: tokens of the prompt as each counts them. */
  readonly counts?: Readonly<Record<string, number>>
  readonly pool_id: string
  /** What the pool serves, where the task asks for it by another name. */
  readonly served?: string
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  readonly queue_position: number
  readonly predicted_start_ms: number
  readonly prediction_basis?: TaskAcceptedReply['prediction_basis']
  readonly backoff_ms: number
  readonly correlation_id: string
  /** @see Kept */
  readonly kept?: Kept
  /** Of the request as it was sent, hex; only of one that brought its id. @see digestOf */
  readonly digest?: string
}

/** What the 202 promised. */
type Promised = Pick<AcceptedTask, 'queue_position' | 'predicted_start_ms' | 'prediction_basis' | 'backoff_ms' | 'pool_id' | 'accepted_at'>

/** What is shown of an accepted task: all of it but the large, so that nobody reads a prompt to show a task. */
export interface TaskSummary extends TaskKey, Promised, Pick<AcceptedTask, 'seed' | 'digest'> {
  readonly request: Pick<TaskSpec, 'session_id' | 'workload' | 'model_ref' | 'engine' | 'priority' | 'metadata'>
}

/** What is shown of a task. */
export function summaryOf(task: AcceptedTask): TaskSummary {
  const { owner, task_id, seed, pool_id, accepted_at, queue_position, predicted_start_ms, prediction_basis, backoff_ms, digest } = task
  const { session_id, workload, model_ref, engine, priority, metadata } = task.request
  return {
    ...{ owner, task_id, seed, pool_id, accepted_at, queue_position, predicted_start_ms, backoff_ms },
    ...(prediction_basis === undefined ? {} : { prediction_basis }),
    ...(digest === undefined ? {} : { digest }),
    request: { session_id, workload, model_ref, engine, priority, ...(metadata === undefined ? {} : { metadata }) },
  }
}

/** How a task ended. Points in time are milliseconds since the epoch. */
export interface TaskOutcome {
  readonly state: 'completed' | 'failed' | 'canceled'
  readonly started_at?: number
  readonly finished_at: number
  readonly replica_id?: string
  readonly tokens_in?: number
  readonly tokens_out?: number
  readonly finish_reason?: FinishReason
  readonly artifact_id?: string
  readonly result_artifact_id?: string
  readonly error?: TaskError
  readonly life?: Life
}

/** Where a task has been; times are ms since its acceptance. @see phasesOf */
export interface Life {
  readonly runs: readonly Run[]
  /** When its pool's model was brought up last, if that was while it waited. */
  readonly loading?: Span
  readonly pool_id: string
  readonly ended: number
}

/** The runs of a task that has not ended, as the journal knows them. */
export interface Attempts {
  /** Runs that were cut off by a failure or a crash; an orderly stop does not count. */
  readonly failed: number
  /** The newest of them, counted or not, gave text that its engine gives again. */
  readonly replayable: boolean
  /** All that went out in them is in the journal. */
  readonly recorded?: true
  /** What is kept of them. */
  readonly runs?: readonly Run[]
}

/** A task as the journal keeps it; without `outcome` it is unfinished. `seq` is the order of acceptance. */
export interface TaskRecord {
  readonly seq: number
  readonly task: AcceptedTask
  readonly outcome?: TaskOutcome
}

/** A task as the journal shows it, without its request. @see TaskRecord */
export interface ListedTask extends Omit<TaskRecord, 'task'> {
  readonly task: TaskSummary
  /** Where it is, or was when it ended; `task` has the one that took it. */
  readonly pool_id: string
}

/** All of an accepted task. One that comes from the journal is text until it is first asked for. */
export interface TaskSource {
  readonly task: AcceptedTask
}

/** As much of an accepted task as its queue and its session have to know, and where the rest of it is. */
export interface TaskHead
  extends TaskKey, Readonly<Pick<TaskSpec, 'session_id' | 'model_ref' | 'workload' | 'priority' | 'max_tokens' | 'deadline_ms'>> {
  readonly expected_tokens: number | undefined
  /** Nobody said how long the answer may be; undefined where the journal does not tell without reading the whole task. */
  readonly open?: boolean
  readonly prompt_tokens: number
  readonly pool_id: string
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  readonly source: TaskSource
}

/** Whether nobody said how long the answer may be. */
export const isOpen = ({ filled = [] }: AcceptedTask): boolean => filled.includes('max_tokens')

/** The head of a task that has just been accepted. */
export function headOf(task: AcceptedTask): TaskHead {
  const { owner, task_id, prompt_tokens, pool_id, accepted_at } = task
  const { session_id, model_ref, workload, priority, max_tokens, expected_tokens, deadline_ms } = task.request
  return {
    owner,
    task_id,
    session_id,
    model_ref,
    workload,
    priority,
    max_tokens,
    expected_tokens,
    ...(isOpen(task) ? { open: true } : {}),
    deadline_ms,
    prompt_tokens,
    pool_id,
    accepted_at,
    source: { task },
  }
}

/** A task that has been accepted and has not ended; without `attempts` it was never dispatched. */
export interface UnfinishedTask {
  readonly head: TaskHead
  readonly attempts: Attempts | undefined
}

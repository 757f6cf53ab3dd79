import type { TaskRequest } from '../task.ts'

/** What is known of a task before it runs. */
export interface WorkShape {
  readonly prompt_tokens: number
  /** 0 where the task generates nothing (embedding, rerank). */
  readonly max_tokens: number
  readonly expected_tokens?: number | undefined
  /** Nobody said how long the answer may be: `max_tokens` is what the context has left, and says nothing of its length. */
  readonly open?: boolean | undefined
}

/** @param prompt_tokens as admission counted them */
export const shapeOf = (
  { workload, max_tokens, expected_tokens, open }: Pick<TaskRequest, 'workload'> & Omit<WorkShape, 'prompt_tokens'>,
  prompt_tokens: number,
): WorkShape => ({ prompt_tokens, max_tokens: workload === 'completion' ? max_tokens : 0, expected_tokens, open })

/** How long a piece of work took, ms. */
export interface Took {
  /** From dispatch to the first token. */
  readonly prefill_ms: number
  /** From the first to the newest token. */
  readonly decode_ms: number
}

/** How far a running task is. */
export interface Progress {
  /** Tokens it has generated. */
  readonly tokens: number
  /** Since the newest token, or since dispatch where there is none, ms. */
  readonly since_ms: number
  /** What its tokens took; undefined where there is none, or where some are of an earlier run. */
  readonly took?: Took | undefined
}

/** Work on a slot, as far as it is known. */
export interface RunningWork {
  readonly shape: WorkShape
  readonly progress: Progress
}

/** What runs: on how many slots, and the work on each once somebody asks, for that takes as long as there are slots. */
export interface Running {
  readonly size: number
  readonly works: () => readonly RunningWork[]
}

/** What runs where it is all known. */
export const runningOf = (works: readonly RunningWork[]): Running => ({ size: works.length, works: () => works })

/** How far a task is that has not been dispatched. */
export const waiting: Progress = { tokens: 0, since_ms: 0 }

/** What a finished task took. */
export interface WorkDone extends WorkShape, Took {
  readonly tokens_out: number
}

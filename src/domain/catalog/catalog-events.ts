import type { EngineName } from '../task.ts'

/** A catalog model is there, is in another state, or is gone (`state` undefined). */
export interface ModelChanged {
  readonly type: 'model_changed'
  readonly model_id: string
  readonly state: 'Active' | 'Retired' | undefined
  /** What has happened, one sentence; undefined where the daemon has only taken the model up again. */
  readonly message: string | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

/** A catalog model was looked at. */
export interface ModelVerified {
  readonly type: 'model_verified'
  readonly model_id: string
  /** Of the pool that serves it. */
  readonly engine: EngineName | undefined
  readonly result: 'pass' | 'fail'
  readonly reason: string | undefined
  readonly error: string | undefined
  readonly warnings: readonly string[]
}

import type { ModelChanged, ModelVerified } from './catalog/catalog-events.ts'
import type { LoadState } from './groups/member.ts'
import type { ErrorCode, EngineName, Priority, TaskOutcome } from './task.ts'

/** Which engine something is about. */
export interface PoolLabels {
  readonly engine: EngineName
  /** `unknown` until a replica has been up. */
  readonly engine_version: string
  readonly pool_id: string
}

/** A task as its events name it: never its prompt, its text or its metadata. */
export interface TaskIdentity {
  readonly correlation_id: string
  readonly task_id: string
  readonly session_id: string
  readonly owner: string
}

/** An accepted task and where it is. */
export interface TaskPlace extends TaskIdentity {
  /** As it was asked for. */
  readonly model_ref: string
  readonly priority: Priority
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  /** As promised at acceptance. */
  readonly queue_position: number
  readonly predicted_start_ms: number
  readonly pool: PoolLabels
  /** Undefined until it was dispatched. */
  readonly replica_id: string | undefined
  /** Runs it has begun. */
  readonly attempts: number
}

/** Why a task ended before it completed. */
export type CancelReason = 'client' | 'deadline' | 'displaced' | 'shutdown' | 'drain'

/** A refusal or an error that is told with an event. */
export interface EventError {
  readonly code: ErrorCode
  readonly message: string
  readonly cause: unknown
}

/** A task was accepted, and that is durable. */
export interface TaskQueued {
  readonly type: 'task_queued'
  readonly task: TaskPlace
  readonly pinned: boolean
  /** None of the preferred pools took it. */
  readonly fallback: boolean
}

/** A task was not accepted. */
export interface TaskRefused {
  readonly type: 'task_refused'
  readonly task: TaskIdentity
  /** `unknown` where it is none that is served: whoever asks may call it anything. */
  readonly model_ref: string
  readonly engine: EngineName | 'none'
  readonly error: EventError
  /** There was no place for it: a queue is full, or nothing is up. */
  readonly no_capacity: boolean
  readonly pinned: boolean
  /** The pool that was full or not ready, where it was one. */
  readonly pool_id: string | undefined
  readonly policy: 'reject' | 'drop-lru' | 'rate-limit' | undefined
}

/** Pools were looked at for a task. */
export interface TaskPlaced {
  readonly type: 'task_placed'
  readonly candidates: number
}

/** A task got its slot. */
export interface TaskStarted {
  readonly type: 'task_started'
  readonly task: TaskPlace
  readonly queue_ms: number
  /** It has had a run before: what was predicted at its acceptance says nothing of this start. */
  readonly again: boolean
}

/** A task's first part came. */
export interface TaskFirstPart {
  readonly type: 'task_first_part'
  readonly task: TaskPlace
  /** Since acceptance, ms. */
  readonly first_token_ms: number
}

/** A task's engine failed, and it waits again. */
export interface TaskRequeued {
  readonly type: 'task_requeued'
  readonly task: TaskPlace
}

/** A task has ended, and that is durable and published. */
export interface TaskEnded {
  readonly type: 'task_ended'
  readonly task: TaskPlace
  readonly outcome: TaskOutcome
  /** Its deadline had passed. */
  readonly late: boolean
  /** From the first to the last part, ms; undefined where there was none. */
  readonly decode_ms: number | undefined
  readonly error: EventError | undefined
  readonly reason: CancelReason | undefined
}

/** What waits in a pool has changed. */
export interface QueueChanged {
  readonly type: 'queue_changed'
  readonly pool: PoolLabels
  readonly interactive: number
  readonly batch: number
}

/** How long the first in line of each class has waited, ms; told once a second. */
export interface QueueAged {
  readonly type: 'queue_aged'
  readonly pool: PoolLabels
  readonly interactive_ms: number
  readonly batch_ms: number
}

/** A pool's queue goes by other labels from now on, or is somebody else's to tell of. */
export interface QueueGone {
  readonly type: 'queue_gone'
  readonly pool: PoolLabels
}

/** A replica has changed its state. */
export interface ReplicaChanged {
  readonly type: 'replica_changed'
  readonly pool: PoolLabels
  readonly model_ref: string
  /** Its pool serves under its id; not so for the engines of a reload that is not done, and of a predecessor. */
  readonly current: boolean
  readonly replica_id: string
  readonly state: 'starting' | 'ready' | 'down' | 'stopped'
  readonly engine_version: string | undefined
  readonly error: string | undefined
}

/** A pool of a group is loaded, asleep, or on its way. */
export interface PoolLoadChanged {
  readonly type: 'pool_load_changed'
  readonly pool_id: string
  readonly group_id: string
  readonly model_ref: string
  readonly state: LoadState
  /** Where a load or an unload has ended: what it took, ms. */
  readonly took_ms: number | undefined
  /** Why the load failed. */
  readonly error: string | undefined
}

/** Which models the pools name, and whether a replica has them loaded. */
export interface ModelsLoaded {
  readonly type: 'models_loaded'
  readonly loaded: ReadonlyMap<string, boolean>
}

/** A pool drains: it takes no new tasks. */
export interface PoolDraining {
  readonly type: 'pool_draining'
  readonly pool_id: string
  readonly deadline_ms: number
  /** Queued tasks that went to other pools, and that are left. */
  readonly moved: number
  readonly left: number
}

/** A pool takes tasks again. */
export interface PoolResumed {
  readonly type: 'pool_resumed'
  readonly pool_id: string
}

/** A pool serves another model. */
export interface PoolReloaded {
  readonly type: 'pool_reloaded'
  readonly pool_id: string
  readonly model_ref: string
  readonly was: string
}

/** A pool serves its old model on. */
export interface ReloadFailed {
  readonly type: 'reload_failed'
  readonly pool_id: string
  readonly model_ref: string
  readonly cause: unknown
}

/** The accelerators of this machine that replicas name were looked at. @see DeviceReading */
export interface DevicesSeen {
  readonly type: 'devices_seen'
  readonly devices: readonly DeviceSeen[]
}

/** One of them. What its driver does not tell is left out. */
export interface DeviceSeen {
  readonly index: number
  /** Share of the time it was busy, 0 to 1. */
  readonly utilization?: number
  readonly used_bytes?: number
  readonly free_bytes?: number
  /** What is wrong with it. */
  readonly fault?: string
}

/** The tasks of the last run of the daemon have been taken up. */
export interface Recovered {
  readonly type: 'recovered'
  readonly queued: number
  readonly ended: number
}

/** Something worth a line in the log that is no step of a task or a pool. */
export interface Notice {
  readonly type: 'notice'
  readonly level: 'info' | 'warn' | 'error'
  /** What part of the daemon tells. */
  readonly event: 'admission' | 'batch' | 'storage' | 'catalog' | 'devices' | 'recovery' | 'reload' | 'failover' | 'group' | 'stop'
  /** One sentence. */
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Everything that happens in the daemon and that somebody outside the flow may want to know. */
export type DaemonEvent =
  | TaskQueued
  | TaskRefused
  | TaskPlaced
  | TaskStarted
  | TaskFirstPart
  | TaskRequeued
  | TaskEnded
  | QueueChanged
  | QueueAged
  | QueueGone
  | ReplicaChanged
  | PoolLoadChanged
  | ModelsLoaded
  | PoolDraining
  | PoolResumed
  | PoolReloaded
  | ReloadFailed
  | DevicesSeen
  | Recovered
  | ModelChanged
  | ModelVerified
  | Notice

/** Gets every event, in order. It has to return at once: it is called in the middle of the flow. */
export type DaemonListener = (event: DaemonEvent) => void

/** Where events are told. */
export interface EventSink {
  emit(event: DaemonEvent): void
}

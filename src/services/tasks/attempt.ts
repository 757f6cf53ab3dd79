import { Failure, StreamError } from '../../domain/errors.ts'
import type { Part } from '../../domain/stream/part.ts'
import { aborted, type CancelTimer, type Clock } from '../../ports/clock.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Replica } from '../pools/replica.ts'
import { commitPatiently, type CommitParts } from './commit-patiently.ts'
import type { Ending } from './ending.ts'
import type { EarlyCall } from './early-call.ts'
import { runOnEngine } from './engine-run.ts'
import type { LiveTask } from './live-task.ts'
import type { PartRecorder } from './part-recorder.ts'
import { placeOf } from './progress.ts'
import { modeIn } from './resumption.ts'
import type { RunMode } from './runs.ts'
import { watch } from './watchdog.ts'

/** What an attempt works with. */
export interface AttemptParts extends CommitParts {
  readonly recorder: PartRecorder
}

/** How a run begins, and how it leaves its slot. */
export interface Call {
  /** Facts of its dispatch, made durable with the attempt. */
  readonly turn: readonly Fact[]
  /** The call of its engine, where that was made already; the attempt became durable with the acceptance. */
  readonly early: EarlyCall | undefined
  /** Called when the answer is whole, so that the slot is free while the attempt may still go to disk. */
  readonly over: () => void
}

/** Runs of a replica that are over but not durable yet: with so many of them a slot waits for the disk, which the queue would else run away from. */
const most_unwritten = 32

/** A run whose engine failed: the task may run again. */
export interface Failed {
  readonly kind: 'failed'
  readonly cause: unknown
}

/**
 * Runs a task once on a replica, from the fact that it begins to how it ended. Nothing goes out before that fact is durable; a task that has
 * failed before, or has been through a restart, may be what kills its engine or the daemon, and calls the engine only then. Never rejects.
 */
export async function attempt(
  task: LiveTask,
  replica: Replica,
  { turn, early, over }: Call,
  parts: AttemptParts,
): Promise<Ending | Failed> {
  const { clock, recorder } = parts
  const { pool } = task
  const { timeouts } = pool.config
  const mode = early?.run.mode ?? modeIn(task, pool, replica.props)
  if (mode === undefined) return { kind: 'error', error: cannotGoOn() }
  const stop = new AbortController()
  const abort = (): void => {
    stop.abort(task.abort.signal.reason)
  }
  task.abort.signal.addEventListener('abort', abort, { once: true })
  if (task.abort.signal.aborted) abort()
  const careful = early === undefined && (task.runs.restored || task.attempts > 0)
  const outlet = new Outlet((part) => (mode === 'continuation' ? recorder.record(task, part) : task.log.append(part)))
  if (early !== undefined) outlet.open()
  const durable = early === undefined ? begun(task, replica, { turn, mode, stop: stop.signal }, parts).then(() => outlet.open()) : undefined
  const first = task.attempts === 1
  let unwatch: CancelTimer = () => undefined
  try {
    if (careful) await durable
    const deaf = (): void => void replica.fail(new Error(`the engine did not confirm an abort within ${timeouts.abort_ms} ms`))
    unwatch = watch(task, timeouts, stop, clock, deaf)
    const dispatched_at = early?.run.began_at ?? clock.now()
    const heard = (): void => hear(task, parts)
    const give = (part: Part): void => outlet.give(part)
    const ran = runOnEngine({ task, engine: early ?? replica.engine, mode, stop, heard, give }).then((ending) => {
      replica.succeeded()
      if (first) learn(task, outlet.taken, dispatched_at, clock)
      return ending
    })
    // The slot is free when the engine has confirmed that it is over, whatever becomes of the journal.
    durable?.catch(() => undefined)
    const [ending] = await Promise.allSettled([ran])
    unwatch()
    if (ending.status === 'fulfilled' && replica.unwritten < most_unwritten) over()
    replica.unwritten++
    try {
      await durable
    } finally {
      replica.unwritten--
    }
    if (mode === 'continuation') await Promise.race([recorder.drained(task), aborted(task.abort.signal)])
    if (ending.status === 'rejected') throw ending.reason
    return ending.value
  } catch (cause) {
    const error: unknown = stop.signal.aborted ? stop.signal.reason : cause
    replica.failed(task.id, error)
    return error instanceof Failure ? { kind: 'error', error } : { kind: 'failed', cause }
  } finally {
    unwatch()
    task.abort.signal.removeEventListener('abort', abort)
    if (task.phase !== 'running') recorder.drop(task)
  }
}

/** Makes durable that a run begins. A task that takes the daemon down is known by its attempts, and no token is out that a restart knows nothing of. */
async function begun(
  task: LiveTask,
  replica: Replica,
  { turn, mode, stop }: { readonly turn: readonly Fact[]; readonly mode: RunMode; readonly stop: AbortSignal },
  parts: AttemptParts,
): Promise<void> {
  const out = mode === 'continuation' ? parts.recorder.catchUp(task) : []
  const facts = [...turn, task.attempt(replica, mode, parts.clock.now()), ...out]
  try {
    await commitPatiently(() => task.session.asOfNow(facts), 'The journal cannot be written; the task waits for it.', parts, stop)
  } catch (error) {
    task.session.unwritten(facts)
    throw error
  }
  stop.throwIfAborted()
}

/** Holds parts back until it is opened. */
class Outlet {
  private readonly out: (part: Part) => void
  private held: Part[] | undefined = []
  /** Parts it has taken. */
  taken = 0

  constructor(out: (part: Part) => void) {
    this.out = out
  }

  give(part: Part): void {
    this.taken++
    if (this.held === undefined) this.out(part)
    else this.held.push(part)
  }

  open(): void {
    const held = this.held ?? []
    this.held = undefined
    for (const part of held) this.out(part)
  }
}

const cannotGoOn = (): StreamError =>
  new StreamError('worker_reset', 'The engine failed, and there is none that can go on from what there is of the answer; send it again.')

function hear(task: LiveTask, { clock, events }: AttemptParts): void {
  const now = clock.now()
  if (task.heard(now)) events.emit({ type: 'task_first_part', task: placeOf(task), first_token_ms: now - task.accepted_on })
}

function learn({ shape, pool, times: { first_at, last_at } }: LiveTask, tokens_out: number, dispatched_at: number, clock: Clock): void {
  const first = first_at ?? clock.now()
  const decode_ms = (last_at ?? first) - first
  pool.estimator.observe({ ...shape, tokens_out, prefill_ms: first - dispatched_at, decode_ms })
}

import { Failure, StreamError } from '../../domain/errors.ts'
import type { Part } from '../../domain/stream/part.ts'
import { aborted, type CancelTimer, type Clock } from '../../ports/clock.ts'
import type { GenerateResult } from '../../ports/engine.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Replica } from '../pools/replica.ts'
import { commitPatiently, type CommitParts } from './commit-patiently.ts'
import type { Completed, Ending } from './ending.ts'
import { requestOf } from './engine-request.ts'
import { runInputs } from './inputs-run.ts'
import type { LiveTask } from './live-task.ts'
import type { PartRecorder } from './part-recorder.ts'
import { placeOf } from './progress.ts'
import { modeIn, resume, type EngineRun } from './resumption.ts'
import type { EarlyRun, RunMode } from './runs.ts'
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
  const unfollow = follow(task.abort.signal, stop)
  const careful = early === undefined && (task.runs.restored || task.attempts > 0)
  const outlet = new Outlet()
  const open = (): void => outlet.open((part) => (mode === 'continuation' ? recorder.record(task, part) : task.log.append(part)))
  if (early !== undefined) open()
  const durable = early === undefined ? begun(task, replica, { turn, mode, stop: stop.signal }, parts).then(open) : undefined
  const first = task.attempts === 1
  let unwatch: CancelTimer = () => undefined
  try {
    if (careful) await durable
    unwatch = watch(task, timeouts, stop, clock, () => fellDeaf(replica, timeouts.abort_ms))
    const dispatched_at = early?.run.began_at ?? clock.now()
    const heard = (): void => hear(task, parts)
    const give = (part: Part): void => outlet.give(part)
    const ran = runOnEngine({ task, engine: replica.engine, mode, stop, heard, give }, early).then((ending) => {
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
    unfollow()
    if (task.phase !== 'running') recorder.drop(task)
  }
}

/**
 * Runs a task on an engine to its end, taking up what there is of its answer.
 * @throws what the engine rejects with; the signal's reason after an abort
 */
async function runOnEngine(run: EngineRun, early: EarlyCall | undefined): Promise<Completed> {
  const { task, engine, stop } = run
  if (task.accepted.request.workload !== 'completion') return runInputs(task, engine, stop.signal)
  const result = await (task.log.partCount > 0 ? resume(run) : fromStart(run, early))
  task.session.reportKv(result.kv_warm)
  return { kind: 'completed', result }
}

/** A run from the first part on, of the engine's early call where there is one. */
function fromStart({ task, engine, stop: { signal }, heard, give }: EngineRun, early: EarlyCall | undefined): Promise<GenerateResult> {
  const onPart = (part: Part): void => {
    if (signal.aborted) return
    heard()
    give(part)
  }
  return early?.takeOver(onPart, signal) ?? engine.generate(requestOf(task), onPart, signal)
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

/** Holds parts back until what they depend on is durable. */
class Outlet {
  private out: ((part: Part) => void) | undefined
  private held: Part[] | undefined
  /** Parts it has taken. */
  taken = 0

  give(part: Part): void {
    this.taken++
    if (this.out === undefined) (this.held ??= []).push(part)
    else this.out(part)
  }

  /** What is held goes out now, and what comes at once. */
  open(out: (part: Part) => void): void {
    const { held } = this
    this.held = undefined
    this.out = out
    if (held !== undefined) for (const part of held) out(part)
  }
}

/**
 * The engine is called while the acceptance of a task is on its way to disk: its slot is taken, and its parts are held back until a run of the
 * task takes the call over.
 */
export class EarlyCall {
  readonly run: EarlyRun
  private readonly stop = new AbortController()
  private readonly outlet = new Outlet()
  private readonly result: Promise<GenerateResult>

  constructor(task: LiveTask, run: EarlyRun) {
    const { replica } = run
    this.run = run
    replica.acquire()
    this.result = replica.engine.generate(requestOf(task), (part) => this.outlet.give(part), this.stop.signal)
    // Until a run takes it over nobody waits for it.
    this.result.catch(() => undefined)
  }

  /** A run of the task takes the call over, from its first part on. @see Engine.generate */
  takeOver(onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    follow(signal, this.stop)
    this.outlet.open(onPart)
    return this.result
  }

  /** The task was not accepted: the call is aborted, and the slot free when the engine confirms that. @param abort_ms time it has for it */
  async drop(abort_ms: number, clock: Clock): Promise<void> {
    this.outlet.open(() => undefined)
    this.stop.abort(new Error('the task was not accepted'))
    const over = this.result.then(
      () => undefined,
      () => undefined,
    )
    const deaf = new AbortController()
    const cancel = clock.after(abort_ms, () => deaf.abort())
    await Promise.race([over, aborted(deaf.signal)])
    cancel()
    if (deaf.signal.aborted) fellDeaf(this.run.replica, abort_ms)
    await over
    this.run.replica.release()
  }
}

/** Aborts with a signal, also where that has aborted already. Returns how to follow it no more. */
function follow(signal: AbortSignal, stop: AbortController): () => void {
  const abort = (): void => stop.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/** Its engine was told to abort a call, and has not confirmed that in time. */
const fellDeaf = (replica: Replica, abort_ms: number): void =>
  void replica.fail(new Error(`the engine did not confirm an abort within ${abort_ms} ms`))

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

import type { components, operations } from '../generated/contract.ts'
import { ApiError, OrchestratordError, TaskFailed } from './errors.ts'
import { bodyOf, done, owned, type CallOptions, type Http, type OwnedCall } from './http.ts'
import { Patience, type Timing } from './patience.ts'
import { parsed, resumed, type Body, type Link } from './resumed.ts'

type Schemas = components['schemas']

/**
 * What a task's stream tells, by the name of the event. Its `error` is not among it: that is thrown as `TaskFailed`. A newer daemon may send
 * events that are not in this type, so leave a `default` that does nothing.
 */
export type TaskEvent = Exclude<Schemas['TaskEvent'], { event: 'error' }>

/** A task that runs while it is iterated. */
export interface TaskRun extends AsyncGenerator<TaskEvent, void, undefined> {
  readonly task_id: string
  /** The whole text, instead of the events. */
  text(): Promise<string>
}

/** How a stream is read. */
export interface StreamOptions extends OwnedCall {
  /** The last event's `id` that is there already; only what follows it is told. */
  readonly last_event_id?: string
}

/** The daemon sends something every 15 s at least. */
const silence_ms = 45_000
/** How often a cancel is tried. */
const cancels = 5

export const tasksOf = (link: Link) => {
  const { http } = link
  const cancel = (id: string, options?: OwnedCall): Promise<void> => done(http.POST('/v1/tasks/{id}/cancel', owned(id, options)))
  return {
    /**
     * Runs a task and tells its events: sends it, reads on after every broken connection or restart where the last event was, waits as long as
     * the daemon tells it to. Leaving the loop or aborting cancels the task. One that ends with a retriable error before it said anything is
     * sent again.
     * @throws TaskFailed, ApiError, ConnectionError once patience ends; the signal's reason where it aborts
     */
    run: (request: Schemas['TaskRequest'], options: CallOptions = {}): TaskRun => {
      const task_id = request.task_id ?? randomId()
      const events = runOf(link, { ...request, task_id }, options.signal, () => cancel(task_id))
      return Object.assign(events, { task_id, text: () => textOf(events) })
    },
    /** Tells a task's events from its start or from an id, as often and by as many readers as you like; leaving the loop cancels nothing. */
    stream: (id: string, { last_event_id, signal, owner }: StreamOptions = {}): AsyncGenerator<TaskEvent, void, undefined> =>
      follow(link, { task_id: id, signal, last_event_id, open: (last) => read(http, id, last, { signal, owner }) }),
    /** Sends a task and leaves it to itself; the answer says where it stands. The same id and body again are the same task. */
    create: async (body: Schemas['TaskRequest'], options?: CallOptions): Promise<Schemas['TaskAccepted']> =>
      (await bodyOf(http.POST('/v1/tasks', { body, headers: { Accept: 'application/json' }, ...options }))) as Schemas['TaskAccepted'],
    get: (id: string, options?: OwnedCall) => bodyOf(http.GET('/v1/tasks/{id}', owned(id, options))),
    /** One page, newest first; `cursor` takes the `next_cursor` of the page before. */
    list: (query: operations['listTasks']['parameters']['query'] = {}, options?: CallOptions) =>
      bodyOf(http.GET('/v1/tasks', { params: { query }, ...options })),
    /** After it not one more token reaches any reader. What has ended stays as it is. */
    cancel,
  }
}

interface Reading {
  readonly signal?: AbortSignal | undefined
  readonly owner?: string | undefined
}

const read = (http: Http, id: string, last: string | undefined, { signal, owner }: Reading): Promise<Body> => {
  const { params, ...options } = owned(id, { owner, ...(signal === undefined ? {} : { signal }) })
  const header = last === undefined ? {} : { header: { 'Last-Event-ID': last } }
  return bodyOf(http.GET('/v1/tasks/{id}/stream', { params: { ...params, ...header }, parseAs: 'stream', ...options }))
}

async function* runOf(
  link: Link,
  body: Schemas['TaskRequest'] & { readonly task_id: string },
  signal: AbortSignal | undefined,
  cancel: () => Promise<void>,
): AsyncGenerator<TaskEvent, void, undefined> {
  const { http } = link
  const { task_id } = body
  const stop = new AbortController()
  let accepted = false
  let canceling: Promise<void> | undefined
  const cancelOnce = (): Promise<void> => (canceling ??= cancelSurely(link.timing, cancel, () => accepted))
  const onAbort = (): void => {
    stop.abort(signal?.reason)
    // Whoever is in the loop is told below.
    cancelOnce().catch(() => undefined)
  }
  const open = async (last: string | undefined): Promise<Body> => {
    if (last !== undefined) return read(http, task_id, last, { signal: stop.signal })
    const headers = { Accept: 'text/event-stream' }
    const stream = await bodyOf(http.POST('/v1/tasks', { body, headers, parseAs: 'stream', signal: stop.signal }))
    accepted = true
    return stream
  }
  let over = true
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    over = false
    yield* follow(link, { task_id, open, signal: stop.signal, again: true })
    over = true
  } catch (error) {
    over = !stop.signal.aborted
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stop.abort()
    if (!over) await cancelOnce()
  }
}

/** Cancels a task of which it may not be known whether the daemon has it yet. @throws where it may go on */
async function cancelSurely({ sleep }: Timing, cancel: () => Promise<void>, accepted: () => boolean): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      await cancel()
      return
    } catch (error) {
      const unknown = error instanceof ApiError && error.status === 404
      if (unknown && (accepted() || tries === cancels)) return
      if (tries === cancels || (!unknown && !(error instanceof OrchestratordError && error.retriable))) throw error
      await sleep(50 * 2 ** tries)
    }
}

interface Followed {
  readonly task_id: string
  readonly signal: AbortSignal | undefined
  readonly last_event_id?: string | undefined
  /** Whether the task is sent again where it failed before it said anything. */
  readonly again?: boolean
  /** Opens the stream after an event, or at its start. */
  readonly open: (last_event_id: string | undefined) => Promise<Body>
}

async function* follow(
  link: Link,
  { task_id, signal, again = false, last_event_id, open }: Followed,
): AsyncGenerator<TaskEvent, void, undefined> {
  // That a task was taken again does not make up for its failing each time.
  const resends = new Patience(link.timing, link.patience_ms)
  let silent = true
  // A task that failed starts anew.
  for (let last = last_event_id; ; last = undefined)
    try {
      for await (const { event, id, data } of resumed(link, { signal, last_event_id: last, silence_ms, open })) {
        if (event === 'error') throw new TaskFailed(task_id, parsed(data) as Schemas['ErrorEvent'])
        silent &&= event === 'started' || event === 'metrics'
        // What the contract knows it has; what it does not know is passed on as it came.
        yield { event, ...(id === undefined ? {} : { id }), data: parsed(data) } as TaskEvent
        if (event === 'end') return
      }
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof TaskFailed && again && silent)) throw error
      await resends.wait(error, signal)
    }
}

async function textOf(events: AsyncIterable<TaskEvent>): Promise<string> {
  let text = ''
  for await (const event of events) if (event.event === 'token') text += event.data.t
  return text
}

/**
 * An id that begins with the time: the daemon stores tasks of one moment side by side, and writes less for each. `crypto.randomUUID` is missing in
 * pages that are not served securely.
 */
function randomId(): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, '0'))
  return Date.now().toString(16).padStart(12, '0') + random.join('')
}

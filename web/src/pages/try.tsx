import { signal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { TaskFailed, type TaskEvent } from '../../../sdk/src/index.ts'
import { reasonOf } from '../dialog.tsx'
import { daemonTime } from '../live/clock.ts'
import type { ModelCapability, TaskRequest } from '../live/types.ts'
import { Out, Until } from '../out.tsx'
import { hrefOfTask } from '../route.ts'
import { client } from '../session.ts'
import { Transcript } from '../task/transcript.ts'
import { counted, shownLines, whole } from '../text.ts'
import { useAsked } from './asked.ts'
import { ListPage } from './list.tsx'
import { samplesFor } from './samples.ts'

/** How what is tried stands. */
interface Trial {
  readonly task_id: string
  /** The daemon has taken it. */
  readonly taken: boolean
  readonly state: 'sent' | 'waits' | 'runs' | 'ended'
  readonly place: number
  readonly start_at: number
  readonly why: string
  readonly text: string
  readonly said: string
}

/** What is typed stays while other pages are looked at, and so does what runs. */
const model = signal('')
const prompt = signal('')
/** As many as there is room for where it is empty: how many that is depends on the model. */
const most = signal('')
const trial = signal<Trial | undefined>(undefined)
let stop: AbortController | undefined

/** What is asked with what is typed. A model that has a template gets a conversation. */
function requestOf(models: readonly ModelCapability[]): TaskRequest {
  const name = model.value === '' ? models[0]?.name : model.value
  const chat = models.find((one) => one.name === name)?.features.includes('chat_template') ?? false
  const tokens = Math.round(Number(most.value))
  return {
    ...(name === undefined ? {} : { model_ref: name }),
    ...(chat ? { messages: [{ role: 'user' as const, content: prompt.value }] } : { prompt: prompt.value }),
    ...(tokens > 0 ? { max_tokens: tokens } : {}),
  }
}

/** Asks any model, shows its place and its answer, and how to ask the same from elsewhere. */
export function Try(): VNode {
  const { value, failed } = useAsked((signal) => client.peek().capabilities({ signal }))
  const models = value?.models ?? []
  const request = requestOf(models)
  const running = trial.value !== undefined && trial.value.state !== 'ended'
  return (
    <ListPage title="Try">
      <form
        class="fields try"
        onSubmit={(event) => {
          event.preventDefault()
          if (!running) void run(request)
        }}
      >
        <label>
          Model{' '}
          <select value={request.model_ref ?? ''} onChange={({ currentTarget }) => (model.value = currentTarget.value)}>
            {models.map(({ name, ready }) => (
              <option key={name} value={name}>
                {name}
                {ready ? '' : ' (takes no tasks now)'}
              </option>
            ))}
          </select>
        </label>
        <label>
          At most{' '}
          <input
            type="text"
            inputMode="numeric"
            size={6}
            placeholder="all"
            value={most.value}
            onInput={({ currentTarget }) => (most.value = currentTarget.value)}
          />{' '}
          tokens
        </label>
        <label class="long">
          <span>Prompt</span>
          <textarea rows={5} value={prompt.value} onInput={({ currentTarget }) => (prompt.value = currentTarget.value)} />
        </label>
        {failed !== '' && (
          <p class="bad" role="alert">
            <Out text={failed} />
          </p>
        )}
        <span class="acts">
          <button type="submit" disabled={running || prompt.value === ''}>
            Send
          </button>
          {running && (
            <button type="button" class="danger" onClick={() => stop?.abort()}>
              Cancel
            </button>
          )}
        </span>
      </form>
      {trial.value !== undefined && <Answer trial={trial.value} />}
      <section class="part">
        <h3>The same from elsewhere</h3>
        {samplesFor(request, location.origin).map(({ title, code }) => (
          <figure key={title}>
            <figcaption>{title}</figcaption>
            <pre tabIndex={0} role="region" aria-label={title}>
              {shownLines(code)}
            </pre>
          </figure>
        ))}
      </section>
    </ListPage>
  )
}

function Answer({ trial: { task_id, taken, state, place, start_at, why, text, said } }: { readonly trial: Trial }): VNode {
  const box = useRef<HTMLPreElement>(null)
  useEffect(() => {
    const at = box.current
    if (at !== null) at.scrollTop = at.scrollHeight
  }, [text])
  return (
    <section class="part" aria-labelledby="answer">
      <h3 id="answer">Answer</h3>
      <p role="status">
        {state === 'sent' && 'Sent.'}
        {state === 'waits' && (
          <>
            Waits at place {whole(place)}, starts in about <Until at={start_at} />
            {why !== '' && (
              <>
                : <Out text={why} />
              </>
            )}
            .
          </>
        )}
        {state === 'runs' && 'Runs.'}
        {state === 'ended' && <Out text={said} />}{' '}
        {taken && (
          <a class="run" href={hrefOfTask(task_id, undefined)}>
            Open the task
          </a>
        )}
      </p>
      {text !== '' && (
        <pre ref={box} class="answer" tabIndex={0} role="region" aria-label="Text of the answer">
          {shownLines(text)}
        </pre>
      )}
    </section>
  )
}

/** Sends a task and shows its events until it ends; leaving it cancels it. */
async function run(request: TaskRequest): Promise<void> {
  stop = new AbortController()
  const events = client.peek().tasks.run(request, { signal: stop.signal })
  const transcript = new Transcript()
  const set = (change: Partial<Trial>): void => {
    const was = trial.peek() ?? {
      task_id: events.task_id,
      taken: false,
      state: 'sent' as const,
      place: 0,
      start_at: 0,
      why: '',
      text: '',
      said: '',
    }
    trial.value = { ...was, ...change }
  }
  trial.value = undefined
  set({})
  let frame = 0
  const write = (): void => {
    frame = 0
    set({ text: transcript.text(), state: trial.peek()?.state === 'ended' ? 'ended' : 'runs' })
  }
  try {
    for await (const event of events) {
      if (trial.peek()?.taken !== true) set({ taken: true })
      if (transcript.take(event)) {
        if (frame === 0) frame = requestAnimationFrame(write)
      } else set(changeBy(event))
    }
  } catch (error) {
    const said = error instanceof TaskFailed ? `${error.code}: ${error.message}` : stop.signal.aborted ? 'Canceled.' : reasonOf(error)
    set({ state: 'ended', said })
  }
}

function changeBy(event: TaskEvent): Partial<Trial> {
  if (event.event === 'metrics') {
    const { phase, queue_position, predicted_start_ms, waits } = event.data
    if (phase !== 'queued') return { state: 'runs' }
    return { state: 'waits', place: queue_position, start_at: daemonTime() + predicted_start_ms, why: waits?.text ?? '' }
  }
  if (event.event !== 'end') return {}
  const { tokens_in, tokens_out, finish_reason } = event.data
  return { state: 'ended', said: `Ended (${finish_reason}): ${counted(tokens_in, 'token')} in, ${whole(tokens_out)} out.` }
}

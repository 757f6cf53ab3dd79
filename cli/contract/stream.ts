import { parseFrame, type Frame } from './frame.ts'

/** What a value has against a schema; undefined where it matches. */
export type Mismatch<S> = (schema: S, value: unknown) => string | undefined

/** Grammar of the frame ids by event; `metrics` has none. */
const ids: Readonly<Record<string, RegExp | undefined>> = {
  started: /^0$/,
  token: /^[1-9][0-9]{0,14}-[0-9a-f]{8}$/,
  reasoning: /^[1-9][0-9]{0,14}-[0-9a-f]{8}$/,
  // The first piece of a call may have no arguments yet.
  tool_call: /^(0|[1-9][0-9]{0,14})-[0-9a-f]{8}$/,
  end: /^end$/,
  error: /^end$/,
}

const isTerminal = ({ event }: Frame): boolean => event === 'end' || event === 'error'

/** The frames of a whole stream; comments are left out. @throws where it is cut off or not SSE */
export function framesOf(text: string): Frame[] {
  if (!text.endsWith('\n\n')) throw new Error(`the stream is cut off: ${JSON.stringify(text.slice(-200))}`)
  return text
    .slice(0, -2)
    .split('\n\n')
    .map(parseFrame)
    .filter(({ comment }) => comment === undefined)
}

/** What a single frame has against its event's schema and id grammar. */
export function frameProblems<S>(frame: Frame, events: Readonly<Record<string, S>>, mismatch: Mismatch<S>): string[] {
  const { event = 'message', id, data } = frame
  const schema = events[event]
  if (schema === undefined) return [`event ${event} is not declared`]
  const problem = mismatch(schema, data)
  const grammar = ids[event]
  const well = grammar === undefined ? id === undefined : id !== undefined && grammar.test(id)
  return [
    ...(problem === undefined ? [] : [`${event}: ${problem}: ${JSON.stringify(data)}`]),
    ...(well ? [] : [`${event} has the id ${String(id)}`]),
  ]
}

/** What a whole stream has against the contract: each frame, and their order. */
export function streamProblems<S>(text: string, events: Readonly<Record<string, S>>, mismatch: Mismatch<S>, resumed: boolean): string[] {
  let frames: Frame[]
  try {
    frames = framesOf(text)
  } catch (error) {
    return [String(error)]
  }
  const problems = frames.flatMap((frame) => frameProblems(frame, events, mismatch))
  const started = frames.findIndex(({ event }) => event === 'started')
  if (resumed ? started !== -1 : started !== 0) problems.push(`started is frame ${started}`)
  if (frames.filter(({ event }) => event === 'started').length > 1) problems.push('started came twice')
  const terminals = frames.filter(isTerminal).length
  const last = frames.at(-1)
  if (terminals !== 1 || last === undefined || !isTerminal(last))
    problems.push(`${terminals} terminal frames, the last frame is ${String(last?.event)}`)
  return [...problems, ...partProblems(frames, resumed), ...callProblems(frames, resumed), ...phaseProblems(frames)]
}

const isPart = ({ event }: Frame): boolean => event === 'token' || event === 'reasoning' || event === 'tool_call'

/** Indices count up by one over all parts, and the bytes of the ids by their text. */
function partProblems(frames: readonly Frame[], resumed: boolean): string[] {
  const problems: string[] = []
  let index: number | undefined = resumed ? undefined : 0
  let bytes: number | undefined = resumed ? undefined : 0
  for (const { event, id, data } of frames.filter(isPart)) {
    const [i, at] = [Number(data?.['i']), Number(id?.split('-')[0])]
    const length = Buffer.byteLength(String(data?.[event === 'tool_call' ? 'arguments' : 't']))
    if (index !== undefined && i !== index) problems.push(`${event} ${i} came where ${index} was due`)
    if (bytes !== undefined && at !== bytes + length) problems.push(`${event} ${i} ends at byte ${at}, not ${bytes + length}`)
    index = i + 1
    bytes = at
  }
  return problems
}

/** The first piece of a tool call has its id and name, no other has; calls count up from 0. */
function callProblems(frames: readonly Frame[], resumed: boolean): string[] {
  const problems: string[] = []
  let calls = 0
  for (const { data } of frames.filter(({ event }) => event === 'tool_call')) {
    const [index, begins] = [Number(data?.['index']), data?.['name'] !== undefined]
    if (begins !== (data?.['id'] !== undefined)) problems.push(`a piece of tool call ${index} has one of id and name`)
    if (resumed) continue
    if (begins !== (index === calls))
      problems.push(`a piece of tool call ${index} ${begins ? 'begins it' : 'goes on'} where ${calls} have begun`)
    if (begins) calls++
  }
  return problems
}

/** What runs has its place on a replica, and nobody is ahead of it. */
function phaseProblems(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ event, data }) => {
    const { phase, queue_position, predicted_start_ms, replica_id } = data ?? {}
    if (event !== 'metrics' || phase === 'queued' || phase === 'loading') return []
    return queue_position === 0 && predicted_start_ms === 0 && replica_id !== undefined
      ? []
      : [`metrics of a running task: ${JSON.stringify(data)}`]
  })
}

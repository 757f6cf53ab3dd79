import { parseFrame, type Frame } from './sse.ts'

/** What a value has against a schema; undefined where it matches. */
type Mismatch<S> = (schema: S, value: unknown) => string | undefined

/** Grammar of the frame ids by event; `metrics` has none. */
const ids: Readonly<Record<string, RegExp | undefined>> = {
  started: /^0$/,
  token: /^[1-9][0-9]{0,14}-[0-9a-f]{8}$/,
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
  if (terminals !== 1 || !isTerminal(frames.at(-1)!))
    problems.push(`${terminals} terminal frames, the last frame is ${String(frames.at(-1)?.event)}`)
  return [...problems, ...tokenProblems(frames, resumed)]
}

/** Indices count up by one, and the bytes of the ids by the text. */
function tokenProblems(frames: readonly Frame[], resumed: boolean): string[] {
  const problems: string[] = []
  let index: number | undefined = resumed ? undefined : 0
  let bytes: number | undefined = resumed ? undefined : 0
  for (const { event, id, data } of frames) {
    if (event !== 'token') continue
    const [i, at] = [Number(data?.['i']), Number(id?.split('-')[0])]
    const length = Buffer.byteLength(String(data?.['t']))
    if (index !== undefined && i !== index) problems.push(`token ${i} came where ${index} was due`)
    if (bytes !== undefined && at !== bytes + length) problems.push(`token ${i} ends at byte ${at}, not ${bytes + length}`)
    index = i + 1
    bytes = at
  }
  return problems
}

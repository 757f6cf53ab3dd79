import { framesOf, type Mismatch } from './stream.ts'

const idOf = /^[0-9a-f]{16}-[1-9][0-9]*$/

/** What a feed, as far as it came, has against the contract. @param resumed it need not begin with a snapshot */
export function feedProblems<S>(text: string, events: Readonly<Record<string, S>>, mismatch: Mismatch<S>, resumed: boolean): string[] {
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
  const frames = whole === '' ? [] : framesOf(whole)
  const problems = frames.flatMap(({ event = 'message', id, data }) => {
    const schema = events[event]
    const wrong = schema === undefined ? 'is not declared' : mismatch(schema, data)
    const well = event === 'sample' ? id === undefined : id !== undefined && idOf.test(id)
    return [...(wrong === undefined ? [] : [`${event}: ${wrong}`]), ...(well ? [] : [`${event} has the id ${String(id)}`])]
  })
  if (!resumed && frames[0]?.event !== 'snapshot') problems.push(`the first frame is ${String(frames[0]?.event)}`)
  return problems
}

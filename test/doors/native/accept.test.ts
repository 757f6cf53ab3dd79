import assert from 'node:assert/strict'
import fc from 'fast-check'
import { wantsStream } from '../../../src/doors/native/accept.ts'

const stream = 'text/event-stream'

const wanted = [
  stream,
  ' TEXT/Event-Stream ',
  `${stream}; charset=utf-8`,
  `${stream};q=0.001`,
  `${stream}, application/json`,
  `${stream}, */*`,
  `*/*;q=0.1, ${stream};q=0.1`,
  `application/json;q=0.9, ${stream}`,
  `application/json;q=0, ${stream};q=0.5, */*`,
  `application/json;q=0.2, application/*;q=0.9, ${stream};q=0.3`,
]

const unwanted = [
  undefined,
  '',
  '*/*',
  'text/*',
  'application/json',
  `${stream};q=0`,
  `${stream}; q=0.000, */*`,
  `application/json, ${stream}`,
  `${stream};q=0.5, application/json`,
  `${stream};q=0.5, */*`,
  `${stream};q=0.5, application/*;q=0.6, */*;q=0.1`,
  `${stream};q=many`,
  'text/event-streams',
  `text/html, x${stream}`,
]

describe('Accept of createTask', () => {
  for (const accept of wanted) it(`asks for the stream: ${accept}`, () => assert.equal(wantsStream(accept), true))
  for (const accept of unwanted) it(`asks for JSON: ${accept ?? '(none)'}`, () => assert.equal(wantsStream(accept), false))

  it('with both named, the one with the higher quality is taken, and the first of equal ones', () => {
    const quality = fc.integer({ min: 0, max: 1000 })
    fc.assert(
      fc.property(quality, quality, fc.boolean(), (ours, json, first) => {
        const [a, b] = [`${stream};q=${ours / 1000}`, `application/json;q=${json / 1000}`]
        const expected = ours > 0 && (ours > json || (ours === json && first))
        assert.equal(wantsStream(first ? `${a}, ${b}` : `${b}, ${a}`), expected)
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (accept) => typeof wantsStream(accept) === 'boolean'))
  })
})

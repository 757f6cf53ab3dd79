import assert from 'node:assert/strict'
import { operations } from '../../generated/operations.ts'
import {
  bodyOf,
  eventsOf,
  headerProblems,
  mismatch,
  operationIds,
  parametersOf,
  responseOf,
  type HeaderObject,
  type MediaType,
  type OperationId,
} from '../harness/contract.ts'
import { frameProblems, framesOf } from '../../cli/contract/stream.ts'
import { feedProblems } from '../../cli/contract/feed.ts'

const examplesOf = ({ example, examples = {} }: MediaType): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
]

/** What an example of a body has against its schema, or its absence. */
function bodyProblems(op: OperationId, type: string, media: MediaType): string[] {
  const examples = examplesOf(media)
  if (examples.length === 0) return [`${type} has no example`]
  if (type !== 'text/event-stream') return examples.flatMap((example) => mismatch(media.schema, example) ?? [])
  if (op === 'streamEvents') return examples.flatMap((example) => feedProblems(String(example), eventsOf(op), mismatch, true))
  return examples.flatMap((example) => framesOf(String(example)).flatMap((frame) => frameProblems(frame, eventsOf(op), mismatch)))
}

const headersProblems = (headers: Readonly<Record<string, HeaderObject>>): string[] =>
  Object.entries(headers).flatMap(([name, header]) =>
    headerProblems(name, { ...header, required: true }, header.example === undefined ? undefined : String(header.example)),
  )

describe('the examples of both contracts', () => {
  for (const op of operationIds) {
    it(`${op}: parameters and request`, () => {
      for (const { name, schema, example } of parametersOf(op)) {
        assert.notEqual(example, undefined, `${name} has no example`)
        assert.equal(mismatch(schema, example), undefined, name)
      }
      const body = bodyOf(op)
      if (body !== undefined) assert.deepEqual(bodyProblems(op, 'application/json', body), [])
    })
    for (const status of operations[op].statuses)
      it(`${op}: ${status}`, () => {
        const { headers, content } = responseOf(op, status)!
        assert.deepEqual(headersProblems(headers), [])
        assert.deepEqual(
          Object.entries(content).flatMap(([type, media]) => bodyProblems(op, type, media)),
          [],
        )
      })
  }
})

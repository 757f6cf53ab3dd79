import assert from 'node:assert/strict'
import fc from 'fast-check'
import { responseProblems } from '../harness/contract.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { repeats } from '../harness/long.ts'
import { captures, operationOf, replay, roomyPool, type Capture } from './captures.kit.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What is done to a body: how to find the place, and what becomes of it. */
interface Mutation {
  readonly path: readonly number[]
  readonly how: 'drop' | 'replace' | 'double'
  readonly value: Json
}

const odd = fc.oneof(
  fc.constantFrom<Json>(null, '', 0, -1, 1e308, true, [], {}, 'system', '\ud800', [null], { type: 'none' }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)
const mutation: fc.Arbitrary<Mutation> = fc.record({
  path: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
  how: fc.constantFrom('drop', 'replace', 'double'),
  value: odd,
})

/** A copy with one place changed; a path that is too long ends where it meets a value. */
function mutated(json: Json, { path: [step = 0, ...path], how, value }: Mutation): Json {
  if (typeof json !== 'object' || json === null) return value
  const keys = Object.keys(json)
  const key = keys[step % Math.max(1, keys.length)]
  if (key === undefined) return value
  const change = (given: Json): Json => (path.length === 0 ? value : mutated(given, { path, how, value }))
  if (Array.isArray(json)) {
    const at = Number(key)
    if (path.length > 0 || how === 'replace') return json.map((one, i) => (i === at ? change(one) : one))
    return how === 'drop' ? json.toSpliced(at, 1) : [...json, json[at]!]
  }
  const { [key]: old = null, ...rest } = json
  if (path.length === 0 && how === 'drop') return rest
  return path.length === 0 && how === 'double' ? { ...json, [`${key}2`]: old } : { ...rest, [key]: change(old) }
}

describe('requests of clients with something else in them', function () {
  this.timeout(3_600_000)
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [roomyPool()] })
  })
  after(() => daemon.stop())

  const numRuns = repeats({ quick: 300, long: 10_000 })
  it(`${numRuns} of them are answered, or refused as the door says it`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...captures.filter(({ body }) => body !== undefined)),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        async (capture: Capture, mutations) => {
          const body = mutations.reduce<Json>(mutated, (capture.body ?? null) as Json)
          const sent = { ...capture, body: body as Readonly<Record<string, unknown>> }
          const received = await replay(daemon.url, sent, keys.data)
          assert.ok(received.status < 500 || received.status === 503, `${received.status} ${received.text}`)
          assert.deepEqual(responseProblems(operationOf(capture), received), [])
        },
      ),
      { numRuns },
    ))
})

import { operations } from '../../generated/operations.ts'
import { operationIds } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { bodyOf, type Case } from './case.ts'
import { bounds } from './worlds.ts'

/** What every operation answers in the same way, and every one with an id in its path or with a body. */
export const shell: readonly Case[] = operationIds.flatMap((op): Case[] => {
  const { role, path, statuses, body } = operations[op]
  const declares = (status: number): boolean => (statuses as readonly number[]).includes(status)
  const cases: Omit<Case, 'op'>[] = [
    { status: 401, what: 'no key', ask: { key: null } },
    { status: 403, what: 'a wrong key', ask: { key: 'wrong' } },
    { status: 403, what: 'a wrong bearer key', ask: { key: 'wrong', bearer: true } },
    { status: 403, what: 'a key without the role', names: new RegExp(role), ask: { key: role === 'data' ? keys.control : keys.data } },
    { status: 400, what: 'an unknown query parameter', names: /surprise/, ask: { query: { surprise: '1' } } },
    { status: 500, what: 'what nobody foresaw', world: 'broken' },
  ]
  if (path.includes('{id}')) {
    cases.push({ status: 400, what: 'an id that is none', names: /\bid\b/, ask: { id: '_' } })
    if (declares(404)) cases.push({ status: 404, what: 'an unknown one', names: /^No such/ })
  }
  if (body) {
    const json = JSON.stringify(bodyOf(op))
    cases.push(
      { status: 400, what: 'no body', names: /needs a JSON body/, ask: { body: '' } },
      { status: 400, what: 'half a body', names: /JSON/, ask: { body: '{"id":' } },
      { status: 400, what: 'null', names: /object/, ask: { body: 'null' } },
      { status: 400, what: 'an unknown field', names: /surprise/, ask: { body: { ...bodyOf(op), surprise: 1 } } },
      { status: 413, what: 'a large body', names: /body_bytes/, ask: { body: json.padEnd(bounds.body_bytes + 1) } },
      { status: 415, what: 'XML', names: /application\/json/, ask: { headers: { 'Content-Type': 'application/xml' } } },
      { status: 415, what: 'text', names: /application\/json/, ask: { headers: { 'Content-Type': 'text/plain' } } },
    )
  }
  return cases.map((one) => ({ op, ...one }))
})

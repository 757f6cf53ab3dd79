import assert from 'node:assert/strict'
import request from 'supertest'
import { operations } from '../../generated/operations.ts'
import { responseProblems, type Received } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { framesOf } from '../harness/sse-contract.ts'
import { controlCases, wholeOperations, type ControlAsk, type ControlCase } from './control-cases.ts'
import { controlWorlds, type ControlWorld, type ControlWorldName } from './control-worlds.ts'

const opened = new Map<ControlWorldName, Promise<ControlWorld>>()
const proven = new Set<string>()

function worldOf({ world = 'plain' }: ControlCase): Promise<ControlWorld> {
  let found = opened.get(world)
  if (found === undefined) opened.set(world, (found = controlWorlds[world]()))
  return found
}

async function send(op: ControlCase['op'], ask: ControlAsk, { daemon }: ControlWorld): Promise<Received> {
  const { method, path, body, role } = operations[op]
  const { id = 'some', key = role === 'control' ? keys.control : keys.data, bearer = false, query = {}, headers = {} } = ask
  const sent = request(daemon.url)[method](path.replace('{id}', encodeURIComponent(id))).query(query)
  if (key !== null) void sent.set(bearer ? { Authorization: `Bearer ${key}` } : { 'X-API-Key': key })
  void sent.set({ ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers })
  const given = ask.body ?? { deadline_ms: 1 }
  const response = await (body ? sent.send(typeof given === 'string' ? given : JSON.stringify(given)) : sent)
  return { status: response.status, headers: response.headers, text: response.text }
}

describe('every control operation gives every answer it declares', () => {
  after(async () => {
    await Promise.all([...opened.values()].map(async (world) => (await world).stop()))
  })

  for (const each of controlCases)
    it(`${each.op} ${each.status}: ${each.what}`, async () => {
      const world = await worldOf(each)
      const ask = typeof each.ask === 'function' ? await each.ask(world) : (each.ask ?? {})
      const received = await send(each.op, ask, world)
      assert.deepEqual(responseProblems(each.op, received), [])
      assert.equal(received.status, each.status, received.text)
      if (each.code !== undefined) {
        const { code, message, policy_label } = JSON.parse(received.text) as Record<string, unknown>
        assert.equal(code, each.code, received.text)
        if (each.names !== undefined) assert.match(String(message), each.names)
        if (each.status === 429) assert.equal(policy_label, 'rate-limit')
      }
      if (each.ends !== undefined) assert.equal(framesOf(received.text).at(-1)?.data?.['code'], each.ends)
      proven.add(`${each.op} ${each.status}`)
    })

  it('and none is left out', () => {
    // What nobody foresaw is the same for every operation and proven with the others.
    const declared = wholeOperations.flatMap((op) => operations[op].statuses.filter((status) => status !== 500).map((status) => `${op} ${status}`))
    assert.deepEqual(
      declared.filter((pair) => !proven.has(pair)),
      [],
    )
  })
})

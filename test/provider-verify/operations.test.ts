import assert from 'node:assert/strict'
import request from 'supertest'
import { operations } from '../../generated/operations.ts'
import { operationIds, responseProblems, type Received } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { beginning } from '../harness/feed.ts'
import { framesOf } from '../../cli/contract/stream.ts'
import { bodyOf, noDigest, nobody, usualCode, type Ask, type Case } from './case.ts'
import { artifacts, usage } from './cases.artifacts.ts'
import { catalog } from './cases.catalog.ts'
import { feed } from './cases.feed.ts'
import { pools } from './cases.pools.ts'
import { sessions } from './cases.sessions.ts'
import { shell } from './cases.shell.ts'
import { tasks } from './cases.tasks.ts'
import { type World } from './world.ts'
import { worlds, type WorldName } from './worlds.ts'

const opened = new Map<WorldName, Promise<World>>()
const proven = new Set<string>()

function worldOf({ world = 'plain' }: Case): Promise<World> {
  let found = opened.get(world)
  if (found === undefined) opened.set(world, (found = worlds[world]()))
  return found
}

async function send(op: Case['op'], ask: Ask, { daemon }: World): Promise<Received> {
  const { method, path, body, role } = operations[op]
  const { id = op.includes('Artifact') ? noDigest : nobody, key = keys[role], bearer = false, query = {}, headers = {} } = ask
  const sent = request(daemon.url)[method](path.replace('{id}', id)).query(query)
  if (key !== null) void sent.set(bearer ? { Authorization: `Bearer ${key}` } : { 'X-API-Key': key })
  void sent.set({ ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers })
  const given = ask.body ?? bodyOf(op)
  if (op === 'streamEvents') {
    const search = new URLSearchParams(query as Record<string, string>).toString()
    const auth = key === null ? {} : bearer ? { Authorization: `Bearer ${key}` } : { 'X-API-Key': key }
    return beginning(`${daemon.url}${path}?${search}`, { ...auth, ...headers })
  }
  const response = await (body ? sent.send(typeof given === 'string' ? given : JSON.stringify(given)) : sent)
  return { status: response.status, headers: response.headers, text: response.text }
}

/** What a case says of an error beyond its status; the text that has to name what it names. */
function errorOf({ status, code = usualCode[status], policy }: Case, text: string): string {
  const error = JSON.parse(text) as Record<string, unknown>
  assert.equal(error['code'], code, text)
  assert.equal(error['policy_label'], policy, text)
  if (status === 500) assert.doesNotMatch(text, /secret/)
  return String(error['message'])
}

describe('every operation gives every answer it declares', () => {
  after(async () => {
    await Promise.all([...opened.values()].map(async (world) => (await world).remove()))
  })

  for (const each of [...shell, ...tasks, ...sessions, ...pools, ...feed, ...catalog, ...artifacts, ...usage])
    it(`${each.op} ${each.status}: ${each.what}`, async () => {
      const world = await worldOf(each)
      const ask = typeof each.ask === 'function' ? await each.ask(world) : (each.ask ?? {})
      const received = await send(each.op, ask, world)
      assert.deepEqual(responseProblems(each.op, received, ask.headers?.['Last-Event-ID'] !== undefined), [])
      assert.equal(received.status, each.status, received.text)
      const said = each.status < 400 ? received.text : errorOf(each, received.text)
      if (each.names !== undefined) assert.match(said, each.names)
      for (const [name, value] of Object.entries(each.headers ?? {})) assert.match(String(received.headers[name]), value, name)
      const { location } = received.headers
      // What is created is found where the answer says.
      if (location !== undefined) assert.equal((await world.ask('GET', String(location), undefined, ask.key ?? keys.data)).status, 200)
      if (each.ends !== undefined) {
        const last = framesOf(received.text).at(-1)
        assert.equal(last?.data?.['code'] ?? last?.event, each.ends)
      }
      proven.add(`${each.op} ${each.status}`)
    })

  it('and none is left out', () => {
    const declared = operationIds.flatMap((op) => operations[op].statuses.map((status) => `${op} ${status}`))
    assert.deepEqual(
      declared.filter((pair) => !proven.has(pair)),
      [],
    )
  })
})

import assert from 'node:assert/strict'
import request from 'supertest'
import { operations } from '../../generated/operations.ts'
import { operationIds, responseProblems, type Received } from '../harness/contract.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import type { Ask, Case } from './case.ts'
import { cases } from './cases.ts'
import { catalogCases } from './catalog-cases.ts'
import { artifact, model, worlds, type World, type WorldName } from './worlds.ts'

const opened = new Map<WorldName, Promise<World>>()
// The catalog's cases have worlds and a runner of their own.
const proven = new Set(catalogCases.map(({ op, status }) => `${op} ${status}`))

function worldOf({ world = 'plain' }: Case): Promise<World> {
  let found = opened.get(world)
  if (found === undefined) opened.set(world, (found = worlds[world]()))
  return found
}

async function send(op: Case['op'], ask: Ask, { daemon }: World): Promise<Received> {
  const { method, path, body } = operations[op]
  const {
    id = op.includes('Artifact') ? `sha256:${'0'.repeat(64)}` : 'some',
    key = operations[op].role === 'control' ? keys.all : keys.data,
    bearer = false,
    query = {},
    headers = {},
  } = ask
  const sent = request(daemon.url)[method](path.replace('{id}', id)).query(query)
  if (key !== null) void sent.set(bearer ? { Authorization: `Bearer ${key}` } : { 'X-API-Key': key })
  void sent.set({ ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers })
  const given = ask.body ?? bodyOf(op)
  const response = await (body ? sent.send(typeof given === 'string' ? given : JSON.stringify(given)) : sent)
  return { status: response.status, headers: response.headers, text: response.text }
}

/** A body that is as it should be. */
function bodyOf(op: Case['op']): Record<string, unknown> {
  if (op === 'createTask') return mockTask()
  if (op === 'putSession') return {}
  if (op === 'drainPool') return { deadline_ms: 1000 }
  if (op === 'reloadPool') return { model_ref: 'mock:v1' }
  if (op === 'createCatalogModel') return model()
  return op === 'setCatalogModelState' ? { state: 'Active' } : artifact()
}

describe('every operation gives every answer it declares', () => {
  after(async () => {
    await Promise.all([...opened.values()].map(async (world) => (await world).stop()))
  })

  for (const each of cases)
    it(`${each.op} ${each.status}: ${each.what}`, async () => {
      const world = await worldOf(each)
      const ask = typeof each.ask === 'function' ? await each.ask(world) : (each.ask ?? {})
      const received = await send(each.op, ask, world)
      assert.deepEqual(responseProblems(each.op, received, ask.headers?.['Last-Event-ID'] !== undefined), [])
      assert.equal(received.status, each.status, received.text)
      if (each.code !== undefined) assert.equal((JSON.parse(received.text) as { code: unknown }).code, each.code, received.text)
      if (each.status === 500) assert.doesNotMatch(received.text, /secret/)
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

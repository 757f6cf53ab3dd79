import assert from 'node:assert/strict'
import request from 'supertest'
import { operations } from '../../generated/operations.ts'
import { responseProblems, type Received } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { catalogCases, type CatalogAsk, type CatalogCase } from './catalog-cases.ts'
import { catalogWorlds, localModel, type CatalogCaseWorld, type CatalogWorldName } from './catalog-worlds.ts'

const opened = new Map<CatalogWorldName, Promise<CatalogCaseWorld>>()
const proven = new Set<string>()

function worldOf({ world = 'plain' }: CatalogCase): Promise<CatalogCaseWorld> {
  let found = opened.get(world)
  if (found === undefined) opened.set(world, (found = catalogWorlds[world]()))
  return found
}

async function send(op: CatalogCase['op'], ask: CatalogAsk, { daemon }: CatalogCaseWorld): Promise<Received> {
  const { method, path, body } = operations[op]
  const { id = 'some', key = keys.all, query = {}, headers = {} } = ask
  const sent = request(daemon.url)[method](path.replace('{id}', id)).query(query)
  if (key !== null) void sent.set('X-API-Key', key)
  void sent.set({ ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers })
  const given = ask.body ?? (op === 'createCatalogModel' ? localModel() : { state: 'Retired', deadline_ms: 0 })
  const response = await (body ? sent.send(typeof given === 'string' ? given : JSON.stringify(given)) : sent)
  return { status: response.status, headers: response.headers, text: response.text }
}

describe('every operation of the catalog gives every answer it declares', () => {
  after(async () => {
    await Promise.all([...opened.values()].map(async (world) => (await world).end()))
  })

  for (const each of catalogCases)
    it(`${each.op} ${each.status}: ${each.what}`, async () => {
      const world = await worldOf(each)
      const ask = typeof each.ask === 'function' ? await each.ask(world) : (each.ask ?? {})
      const received = await send(each.op, ask, world)
      assert.deepEqual(responseProblems(each.op, received), [])
      assert.equal(received.status, each.status, received.text)
      if (each.code !== undefined) assert.equal((JSON.parse(received.text) as { code: unknown }).code, each.code, received.text)
      proven.add(`${each.op} ${each.status}`)
    })

  it('and none is left out', () => {
    const ops = [...new Set(catalogCases.map(({ op }) => op))]
    const declared = ops.flatMap((op) => operations[op].statuses.filter((status) => status !== 500).map((status) => `${op} ${status}`))
    const missing = declared.filter((pair) => !proven.has(pair))
    assert.deepEqual(missing, [])
  })
})

import assert from 'node:assert/strict'
import { doorOperations } from '../../generated/doors.ts'
import { responseProblems, type Received } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import type { Ask } from './case.ts'
import { doorBody, doorCases, doorOps } from './cases.doors.ts'
import type { DoorOp } from './door-case.ts'
import { type World } from './world.ts'
import { worlds, type WorldName } from './worlds.ts'

async function send(op: DoorOp, ask: Ask, { daemon }: World): Promise<Received> {
  const operation = doorOperations[op]
  const { method, path, body } = operation
  const { id = 'mock:v1', key = keys.data, bearer = false, query = {}, headers = {} } = ask
  const given = ask.body ?? doorBody(op)
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  const search = Object.keys(query).length === 0 ? '' : `?${new URLSearchParams(query as Record<string, string>).toString()}`
  const response = await fetch(`${daemon.url}${path.replace(/\{\w+\}/, encodeURIComponent(id))}${search}`, {
    method: method.toUpperCase(),
    headers: {
      ...(key === null ? {} : bearer ? { Authorization: `Bearer ${key}` } : { 'x-api-key': key }),
      ...('when' in operation ? { [operation.when]: '2023-06-01' } : {}),
      ...(body ? { 'Content-Type': 'application/json' } : {}),
      ...headers,
    },
    ...(body || 'upload' in operation ? { body: text } : {}),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
}

describe('every operation of the doors gives every answer it declares', () => {
  const opened = new Map<WorldName, Promise<World>>()
  const proven = new Set<string>()
  const worldOf = (name: WorldName): Promise<World> => {
    const found = opened.get(name) ?? worlds[name]()
    opened.set(name, found)
    return found
  }
  after(() => Promise.all([...opened.values()].map(async (world) => (await world).remove())))

  for (const { op, status, what, names, world: name = 'plain', ask: given = {} } of doorCases)
    it(`${op} ${status}: ${what}`, async () => {
      const world = await worldOf(name)
      const received = await send(op, typeof given === 'function' ? await given(world) : given, world)
      assert.equal(received.status, status, received.text)
      assert.deepEqual(responseProblems(op, received), [])
      if (names !== undefined) assert.match(received.text, names)
      assert.doesNotMatch(received.text, /secret/)
      const { 'retry-after': retry } = received.headers
      if (status === 429 || status === 503) assert.ok(Number(retry) >= 1 && Number(retry) <= 60, String(retry))
      proven.add(`${op} ${status}`)
    })

  it('and none is left out', () => {
    const declared = doorOps.flatMap((op) => doorOperations[op].statuses.map((status) => `${op} ${status}`))
    assert.deepEqual(
      declared.filter((pair) => !proven.has(pair)),
      [],
    )
  })
})

describe('answers at the paths of a door that belong to no operation', () => {
  let world: World
  before(async () => {
    world = await worlds.plain()
  })
  after(() => world.remove())

  const shown = (path: string): string => path.replace('{model}', 'mock:v1').replace(/\{\w+\}/, 'resp_x')
  const paths = [...new Set(doorOps.map((op) => shown(doorOperations[op].path)))]
  const methodsOf = (path: string): string[] =>
    doorOps.flatMap((op) => (shown(doorOperations[op].path) === path ? [doorOperations[op].method.toUpperCase()] : []))
  const shapes: Readonly<Record<string, RegExp>> = {
    openai: /^\{"error":\{"message":"[^"]+","type":"[a-z_]+","param":(null|"[^"]+"),"code":"[a-z_]+"\}\}$/,
    anthropic: /^\{"type":"error","error":\{"type":"[a-z_]+","message":"[^"]+"\},"request_id":"[^"]+"\}$/,
  }

  for (const path of paths)
    for (const version of [undefined, '2023-06-01'])
      it(`${path}${version === undefined ? '' : ' of Anthropic'}: other methods and no key`, async () => {
        const door = path.startsWith('/v1/messages') || (version !== undefined && path.startsWith('/v1/models')) ? 'anthropic' : 'openai'
        const headers = version === undefined ? {} : { 'anthropic-version': version }
        for (const method of ['DELETE', 'PUT', 'PATCH'].filter((one) => !methodsOf(path).includes(one))) {
          const { status, text, headers: given } = await call(world.daemon.url, path, { method, key: keys.data, headers })
          assert.equal(status, 405, text)
          assert.match(text, shapes[door]!)
          assert.match(String(given['allow']), /^(GET|POST|DELETE)(, (GET|POST|DELETE))*$/)
        }
        const { status, text } = await call(world.daemon.url, path, { method: 'PUT', headers })
        assert.equal(status, 401)
        assert.match(text, shapes[door]!)
      })
})

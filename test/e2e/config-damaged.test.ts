import fc from 'fast-check'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ConfigError } from '../../src/config/config.ts'
import { makeSigner } from '../harness/catalog.ts'
import { talesPool, mockPool } from '../harness/daemon.ts'
import { repeats } from '../harness/long.ts'
import { ConfigDir } from './config.kit.ts'

const root = join(import.meta.dirname, '../..')

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const full: Json = JSON.parse(
  JSON.stringify({
    pools: [mockPool({ queue: { capacity: 5 }, timeouts: { idle_ms: 50 } }), talesPool(), mockPool({ id: 'c', model: 'mock:c' })],
    groups: [{ id: 'g', pools: ['mock', 'c'], loaded: 1, preload: ['mock'] }],
    models: [{ name: 'small', aliases: ['gpt-*'], pools: ['mock'], fallback: ['c'] }],
    auth: { keys: [{ name: 'a', key_sha256: 'a'.repeat(64), roles: ['data'], limits: { models: ['small'] } }] },
    sessions: { ttl_ms: 5000 },
    limits: { body_bytes: 2000 },
    catalog: { egress: { hosts: ['example.com:443'] }, signers: [makeSigner('vendor').config] },
    listen: '127.0.0.1:0',
  }),
) as Json
const examples = globSync('examples/*.yaml', { cwd: root }).map((file) => parse(readFileSync(join(root, file), 'utf8')) as Json)

const wrong: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, -1, 0.5, 1e300, '', 'x', '__proto__', [], {}, [null], [[]], { id: null }, [{}], '{port}', 'http://['),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)

/** Leaves out, replaces or misspells what a number points to, wherever that is. */
function damaged(value: Json, at: number, how: number, by: Json): Json {
  let left = at % sizeOf(value)
  const walk = (one: Json): Json => {
    if (typeof one !== 'object' || one === null) return one
    const changed = Object.entries(one).flatMap(([key, inner]): [string, Json][] => {
      if (left-- !== 0) return [[key, walk(inner)]]
      return how === 0 ? [] : how === 1 ? [[key, by]] : [[`${key}s`, inner]]
    })
    return Array.isArray(one) ? changed.map(([, inner]) => inner) : Object.fromEntries(changed)
  }
  return walk(value)
}

const sizeOf = (value: Json): number =>
  typeof value !== 'object' || value === null ? 0 : Object.values(value).reduce<number>((sum, inner) => sum + 1 + sizeOf(inner), 0)

describe('a configuration that is damaged anywhere', () => {
  const dir = new ConfigDir()
  after(() => dir.remove())

  it('is sound before', () => void dir.load(JSON.stringify(full)))

  it('is taken or refused in words, and breaks nothing', () => {
    const damage = fc.record({ at: fc.nat(10_000), how: fc.nat(2), by: wrong })
    fc.assert(
      fc.property(fc.constantFrom(full, ...examples), fc.array(damage, { minLength: 1, maxLength: 3 }), (sound, damages) => {
        const config = damages.reduce((so_far, { at, how, by }) => (sizeOf(so_far) === 0 ? so_far : damaged(so_far, at, how, by)), sound)
        try {
          dir.load(JSON.stringify(config))
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
        }
      }),
      { numRuns: repeats({ quick: 300, long: 5000 }) },
    )
  })
})

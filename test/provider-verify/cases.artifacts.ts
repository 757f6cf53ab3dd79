import { keys } from '../harness/daemon.ts'
import { casesOf, noDigest, noDisk, other, type Ask, type Case } from './case.ts'
import { artifact, type World } from './world.ts'

/** Cases of artifacts. */
export const artifacts: readonly Case[] = [
  ...casesOf(
    'createArtifact',
    { status: 201, what: 'a plan' },
    { status: 201, what: 'the same again', ask: storedAgain },
    { status: 201, what: 'with a parent', ask: async (world) => ({ body: artifact({ parent: await world.artifact() }) }) },
    {
      status: 429,
      what: 'more than its key may keep',
      policy: 'rate-limit',
      names: /stored_bytes/,
      ask: { key: 'hoarder', body: artifact({ content: 'x'.repeat(300) }) },
    },
    { status: 400, what: 'an unknown parent', names: /parent/, ask: () => ({ body: artifact({ parent: noDigest }) }) },
    { status: 400, what: 'half of a surrogate pair', names: /surrogate/, ask: () => ({ body: artifact({ metadata: { '\ude00': '' } }) }) },
    noDisk(),
  ),
  ...casesOf(
    'getArtifact',
    noDisk({ id: noDigest }),
    { status: 200, what: 'an own one', ask: async (world) => ({ id: await world.artifact() }) },
    {
      status: 200,
      what: 'a transcript',
      names: /"kind":"transcript"/,
      ask: async (world) => ({ id: String((await world.finished()).terminal?.data?.['artifact_id']) }),
    },
    { status: 404, what: "another key's", ask: async (world) => ({ id: await world.artifact(), ...other }) },
  ),
  ...casesOf(
    'listArtifacts',
    noDisk(),
    {
      status: 200,
      what: 'a page of plans',
      names: /"next_cursor"/,
      ask: async (world) => (await world.artifact(), await world.artifact(), { query: { kind: 'plan', tag: 'draft', limit: '1' } }),
    },
    { status: 400, what: 'a kind that is none', names: /kind/, ask: { query: { kind: 'poem' } } },
  ),
]

/** Cases of usage. */
export const usage: readonly Case[] = casesOf(
  'getUsage',
  { status: 200, what: 'of its own', names: /"key":"data"/, ask: async (world) => (await world.finished(), {}) },
  { status: 200, what: 'of every key', ask: async (world) => (await world.finished(), { key: keys.all, query: { from: '2026-01-01' } }) },
  { status: 400, what: 'a day that is none', names: /from/, ask: { query: { from: '2026-13-01' } } },
  noDisk(),
  { status: 400, what: 'days the wrong way round', names: /from/, ask: { query: { from: '2026-02-01', to: '2026-01-01' } } },
)

async function storedAgain(world: World): Promise<Ask> {
  const body = artifact()
  await world.must(201, 'POST', '/v1/artifacts', body, keys.data)
  return { body }
}

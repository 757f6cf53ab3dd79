import { operations } from '../../generated/operations.ts'
import { operationIds } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { noDigest, nobody, other, type Case } from './case.ts'
import { control } from './cases.control.ts'
import { creating } from './cases.create.ts'
import { tasks } from './cases.tasks.ts'
import { artifact, limits } from './worlds.ts'

/** What every operation answers in the same way. */
const everywhere = operationIds.flatMap((op): Case[] => [
  { op, status: 401, what: 'no key', code: 'UNAUTHENTICATED', ask: { key: null } },
  { op, status: 403, what: 'a wrong key', code: 'FORBIDDEN', ask: { key: 'wrong' } },
  { op, status: 403, what: 'a wrong bearer key', code: 'FORBIDDEN', ask: { key: 'wrong', bearer: true } },
  { op, status: 403, what: 'a key without the role', code: 'FORBIDDEN', ask: { key: operations[op].role === 'data' ? keys.control : keys.data } },
  { op, status: 400, what: 'an unknown query parameter', code: 'INVALID_PARAMS', ask: { query: { surprise: '1' } } },
  { op, status: 500, what: 'what nobody foresaw', code: 'INTERNAL', world: 'broken' },
])

const sessions: Case[] = [
  { op: 'getSession', status: 200, what: 'an own one', ask: async (world) => ({ id: await world.session('seen') }) },
  { op: 'getSession', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: '_' } },
  { op: 'getSession', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  {
    op: 'getSession',
    status: 404,
    what: "another key's",
    code: 'NOT_FOUND',
    ask: async (world) => ({ id: await world.session('mine'), ...other }),
  },
  { op: 'deleteSession', status: 204, what: 'an own one', ask: async (world) => ({ id: await world.session('gone') }) },
  { op: 'deleteSession', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  {
    op: 'deleteSession',
    status: 404,
    what: "another key's",
    code: 'NOT_FOUND',
    ask: async (world) => ({ id: await world.session('kept'), ...other }),
  },
  { op: 'deleteSession', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'waiting' } },
]

const pools: Case[] = [
  { op: 'getCapabilities', status: 200, what: 'of a pool that is up' },
  { op: 'getCapabilities', status: 200, what: 'of a pool that is not', world: 'loading' },
  { op: 'listPools', status: 200, what: 'one that is up' },
  { op: 'listPools', status: 200, what: 'one that is not', world: 'loading' },
  { op: 'getPoolHealth', status: 200, what: 'one that is up', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 200, what: 'one that is down', world: 'loading', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 200, what: 'one that is busy', world: 'reject', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'Mock' } },
  { op: 'getPoolHealth', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
]

const artifacts: Case[] = [
  { op: 'createArtifact', status: 201, what: 'a plan' },
  { op: 'createArtifact', status: 201, what: 'the same again', ask: () => ({ body: artifact({ content: 'the same' }) }) },
  {
    op: 'createArtifact',
    status: 201,
    what: 'with a parent',
    ask: async (world) => ({ body: artifact({ parent: await world.artifact() }) }),
  },
  {
    op: 'createArtifact',
    status: 400,
    what: 'an unknown parent',
    code: 'INVALID_PARAMS',
    ask: () => ({ body: artifact({ parent: noDigest }) }),
  },
  {
    op: 'createArtifact',
    status: 400,
    what: 'half of a surrogate pair',
    code: 'INVALID_PARAMS',
    ask: () => ({ body: artifact({ metadata: { '\ude00': '' } }) }),
  },
  {
    op: 'createArtifact',
    status: 413,
    what: 'a large body',
    code: 'INVALID_PARAMS',
    ask: () => ({ body: artifact({ content: 'x'.repeat(limits.body_bytes) }) }),
  },
  { op: 'createArtifact', status: 415, what: 'XML', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'application/xml' } } },
  { op: 'createArtifact', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless' },
  { op: 'getArtifact', status: 200, what: 'an own one', ask: async (world) => ({ id: await world.artifact() }) },
  {
    op: 'getArtifact',
    status: 200,
    what: 'a transcript',
    ask: async (world) => ({ id: String((await world.finished()).terminal?.data?.['artifact_id']) }),
  },
  { op: 'getArtifact', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'sha256:1' } },
  { op: 'getArtifact', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: noDigest } },
  {
    op: 'getArtifact',
    status: 404,
    what: "another key's",
    code: 'NOT_FOUND',
    ask: async (world) => ({ id: await world.artifact(), ...other }),
  },
  {
    op: 'listArtifacts',
    status: 200,
    what: 'a page of plans',
    ask: async (world) => (await world.artifact(), await world.artifact(), { query: { kind: 'plan', tag: 'draft', limit: '1' } }),
  },
  { op: 'listArtifacts', status: 400, what: 'a kind that is none', code: 'INVALID_PARAMS', ask: { query: { kind: 'poem' } } },
]

/** Every case of every operation. */
export const cases: readonly Case[] = [...everywhere, ...creating, ...tasks, ...sessions, ...pools, ...artifacts, ...control]

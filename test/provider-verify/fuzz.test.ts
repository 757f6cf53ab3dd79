import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { operations } from '../../generated/operations.ts'
import { makeSigner } from '../harness/catalog.ts'
import { operationIds, schemaNamed } from '../harness/contract.ts'
import { mockPool, silentLog, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { long, repeats } from '../harness/long.ts'
import { body_bytes } from './fuzz.body.ts'
import { sequence, steering, type Play } from './fuzz.draft.ts'
import { Driver } from './fuzz.driver.ts'
import { models } from './fuzz.samples.ts'
import { files, hub, models as steeredModels, steeringBodies } from './fuzz.steering.ts'

/** `FUZZ_SEED=<n>` plays another run, or one that failed, again. */
const seed = Number(process.env['FUZZ_SEED'] ?? 20260101)

/** Operations after which the others' answers are as certain as before. */
const plain = operationIds.filter((op) => !steering.includes(op))

const pool = (id: string, model: string, fields: Record<string, unknown>): Record<string, unknown> =>
  mockPool({ id, model, replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 3 }, ...fields })
const timeouts = { wall_ms: 3000, idle_ms: 300, abort_ms: 100 }
const slow = { prefill_ms: 20, token_ms: 120, tokens: 20 }
const faults = { prefill_ms: 0, token_ms: 2, tokens: 12 }

const config = {
  limits: { body_bytes },
  sessions: { max_turns: 3, ttl_ms: 20_000 },
  retention: { tasks_ms: 40_000, artifacts_ms: 40_000 },
  pools: [
    pool('fast', 'mock:v1', {
      replicas: [{ id: 'r0', slots: 4, devices: [0] }],
      sampler_profile_version: 'p1',
      mock: { prefill_ms: 0, token_ms: 0, tokens: 12 },
    }),
    pool('spare', 'mock:v1', { replicas: [{ id: 'r0', devices: [0, 1] }], mock: slow }),
    pool('slow', 'mock:slow', { queue: { capacity: 1 }, mock: slow }),
    pool('lru', 'mock:lru', { queue: { capacity: 1, full_policy: 'drop-lru', batch_every: 2 }, mock: slow }),
    pool('flaky', 'mock:flaky', { mock: { ...faults, fault: { kind: 'fail', every: 3 } } }),
    pool('torn', 'mock:torn', { mock: { ...faults, fault: { kind: 'fail', after_tokens: 3, every: 2 } } }),
    pool('hang', 'mock:hang', { timeouts, mock: { ...faults, fault: { kind: 'hang', after_tokens: 1, every: 2 } } }),
    pool('deaf', 'mock:deaf', { timeouts, mock: { ...faults, fault: { kind: 'deaf', every: 3 } } }),
    pool('dying', 'mock:dying', {
      replicas: [{ id: 'r0' }, { id: 'r1', slots: 2 }],
      timeouts,
      mock: { ...faults, fault: { kind: 'die', after_tokens: 1, every: 4 } },
    }),
    pool('dead', 'mock:dead', { timeouts: { start_ms: 1 }, mock: { load_ms: 600_000 } }),
    pool('cold', 'mock:cold', { timeouts: { start_ms: 1000 }, mock: { load_ms: 600_000 } }),
    pool('colder', 'mock:cold', { timeouts: { start_ms: 5000 }, mock: { load_ms: 600_000 } }),
  ],
}

const busy = (id: string, model: string, fields: Record<string, unknown> = {}): Record<string, unknown> =>
  pool(id, model, { prices: { input_per_million: 1, output_per_million: 10 }, mock: slow, ...fields })
const signer = makeSigner('alice')

const steered = (models_dir: string): Record<string, unknown> => ({
  models_dir,
  limits: { body_bytes },
  sessions: { max_turns: 40, ttl_ms: 20_000, budgets: { tokens: 1_000_000, time_ms: 1_000_000, cost: 100 } },
  retention: { tasks_ms: 40_000, artifacts_ms: 40_000 },
  catalog: { signers: [signer.config], hf_endpoint: `http://${hub}`, egress: { hosts: [hub] } },
  pools: [
    busy('fast', 'mock:v1'),
    busy('spare', 'mock:v1'),
    busy('slow', 'mock:slow', { queue: { capacity: 1 } }),
    busy('lru', 'mock:slow', { queue: { capacity: 1, full_policy: 'drop-lru', batch_every: 2 } }),
    busy('heavy', 'mock:heavy', { mock: { ...slow, load_ms: 400 } }),
    busy('shelf-0', 'mock:m0'),
    busy('shelf-1', 'mock:m1'),
    busy('shelf-2', 'mock:m2'),
    busy('hang', 'mock:hang', { timeouts, mock: { ...faults, fault: { kind: 'hang', every: 2 } } }),
    busy('deaf', 'mock:deaf', { timeouts, mock: { ...faults, fault: { kind: 'deaf', every: 3 } } }),
    busy('dying', 'mock:dying', { timeouts, mock: { ...faults, fault: { kind: 'die', after_tokens: 1, every: 4 } } }),
    // A reload's proof fails.
    busy('faulty', 'mock:v2', { mock: { ...faults, fault: { kind: 'fail' } } }),
  ],
})

async function start(config: Record<string, unknown>, clock: FakeClock): Promise<TestDaemon> {
  const up = { yet: false }
  const started = startDaemon(config, { clock, log: silentLog }).finally(() => (up.yet = true))
  // The cold pools have to fail once, which takes time to go on.
  while (!up.yet) await clock.advance(10)
  return started
}

/** Plays sequences, and says what was reached. */
async function playAll(numRuns: number, steps: number, given: Play, open: (clock: FakeClock) => Promise<TestDaemon>) {
  const reached = new Set<string>()
  const codes = new Set<string>()
  let requests = 0
  const play = fc.asyncProperty(sequence(steps, given), async (sequenceOfSteps) => {
    const clock = new FakeClock()
    const daemon = await open(clock)
    const driver = new Driver(daemon, clock, reached, codes)
    try {
      for (const step of sequenceOfSteps) await driver.play(step)
      await driver.drain()
    } finally {
      requests += driver.requests
      const stopped = daemon.stop()
      await clock.advance(1)
      await stopped
    }
  })
  // No shrinking: a step means what it does only after those before it; the message has the requests that led there.
  const { failed, errorInstance, counterexamplePath } = await fc.check(play, { seed, numRuns, endOnFailure: true })
  if (failed) throw new Error(`FUZZ_SEED=${seed}, path ${String(counterexamplePath)}, after ${requests} requests`, { cause: errorInstance })
  const unreached = given.ops
    .flatMap((op) => operations[op].statuses.map((status) => `${op} ${status}`))
    .filter((pair) => !reached.has(pair))
  return { requests, unreached: unreached.sort(), silent: schemaNamed('ErrorCode').enum!.filter((code) => !codes.has(code)) }
}

describe('sequences of requests generated from the contract', () => {
  it(`get declared answers and nothing else (seed ${seed})`, async function () {
    this.timeout(1_200_000)
    const { requests, unreached, silent } = await playAll(repeats({ quick: 2, long: 11 }), 270, { ops: plain, models }, (clock) =>
      start(config, clock),
    )
    assert.ok(requests >= repeats({ quick: 1000, long: 10_000 }), `${requests} requests`)
    // Few sequences do not reach everything.
    if (!long) return
    // Answers that only a fault can bring about: what nobody foresaw, and a journal that cannot be written. No key here has a rate.
    const stored = [
      'cancelTask',
      'getTask',
      'listTasks',
      'streamTask',
      'deleteSession',
      'createArtifact',
      'getArtifact',
      'listArtifacts',
      'getUsage',
    ]
    const faulty = [...plain.map((op) => `${op} 500`), ...stored.map((op) => `${op} 503`)]
    // No pool here shares devices or loads its model by itself, and a feed is left before there are too many.
    const elsewhere = ['loadPool 200', 'loadPool 202', 'unloadPool 200', 'unloadPool 202', 'streamEvents 429']
    assert.deepEqual(unreached, [...faulty, ...elsewhere, 'createArtifact 429'].sort())
    // The others come of the catalog, which only steering fills.
    assert.deepEqual(silent, ['MODEL_DEPRECATED', 'UNTRUSTED_ARTIFACT', 'INTERNAL'])
  })

  it(`do so while pools, catalog and budgets are steered (seed ${seed})`, async function () {
    this.timeout(1_200_000)
    const models_dir = mkdtempSync(join(tmpdir(), 'orchd-fuzz-'))
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(models_dir, name), bytes)
    const open = async (clock: FakeClock): Promise<TestDaemon> => {
      const daemon = await start(steered(models_dir), clock)
      // The configuration has catalog models only for real engines, which have no fake clock.
      for (const n of [0, 1, 2]) Object.assign(daemon.pools.get(`shelf-${n}`).config, { model: `catalog:m${n}` })
      return daemon
    }
    try {
      const given: Play = { ops: [...operationIds, 'createTask', 'createTask'], models: steeredModels, bodies: steeringBodies(signer) }
      const { requests, unreached, silent } = await playAll(repeats({ quick: 1, long: 9 }), 220, given, open)
      assert.ok(requests >= repeats({ quick: 500, long: 4500 }), `${requests} requests`)
      if (!long) return
      // It has happened: whatever steers has done so, and others have felt it.
      const done = unreached
        .filter((pair) => / 2..$/.test(pair) || pair === 'createTask 409' || pair === 'createTask 429')
        // No pool here shares devices or loads its model by itself.
        .filter((pair) => !/^(un)?loadPool /.test(pair))
      assert.deepEqual(done, [])
      const felt = ['MODEL_DEPRECATED', 'UNTRUSTED_ARTIFACT', 'BUDGET_EXHAUSTED', 'POOL_UNREADY', 'CONFLICT']
      assert.deepEqual(
        silent.filter((code) => felt.includes(code)),
        [],
      )
    } finally {
      rmSync(models_dir, { recursive: true })
    }
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { operations } from '../../generated/operations.ts'
import { schemaNamed } from '../harness/contract.ts'
import { mockPool, silentLog, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { body_bytes } from './fuzz.body.ts'
import { fuzzed, sequence } from './fuzz.draft.ts'
import { Driver } from './fuzz.driver.ts'

/** `FUZZ_SEED=<n>` plays another run, or one that failed, again. */
const seed = Number(process.env['FUZZ_SEED'] ?? 20260101)
const runs = 11
const steps = 270
const least = 10_000

/** Answers that only a fault can bring about: what nobody foresaw, and a journal that cannot be written. */
const faulty = [...fuzzed.map((op) => `${op} 500`), 'cancelTask 503', 'deleteSession 503', 'createArtifact 503']

const pool = (id: string, model: string, fields: Record<string, unknown>): Record<string, unknown> =>
  mockPool({ id, model, replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 3 }, ...fields })
const timeouts = { wall_ms: 3000, idle_ms: 300, abort_ms: 100 }
const slow = { prefill_ms: 20, token_ms: 120, tokens: 20 }
const faults = { prefill_ms: 0, token_ms: 2, tokens: 12 }

const config = {
  limits: { body_bytes },
  sessions: { max_turns: 4, ttl_ms: 20_000 },
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

async function start(clock: FakeClock): Promise<TestDaemon> {
  const up = { yet: false }
  const started = startDaemon(config, { clock, log: silentLog }).finally(() => (up.yet = true))
  // The cold pools have to fail once, which takes time to go on.
  while (!up.yet) await clock.advance(10)
  return started
}

describe('sequences of requests generated from the contract', () => {
  it(`get declared answers and nothing else (seed ${seed})`, async function () {
    this.timeout(600_000)
    const reached = new Set<string>()
    const codes = new Set<string>()
    let requests = 0
    const play = fc.asyncProperty(sequence(steps), async (sequenceOfSteps) => {
      const clock = new FakeClock()
      const daemon = await start(clock)
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
    const { failed, errorInstance, counterexamplePath } = await fc.check(play, { seed, numRuns: runs, endOnFailure: true })
    if (failed)
      throw new Error(`FUZZ_SEED=${seed}, path ${String(counterexamplePath)}, after ${requests} requests`, { cause: errorInstance })
    const declared = fuzzed.flatMap((op) => operations[op].statuses.map((status) => `${op} ${status}`))
    assert.deepEqual(declared.filter((pair) => !reached.has(pair)).sort(), faulty.toSorted())
    assert.deepEqual(
      schemaNamed('ErrorCode').enum!.filter((code) => !codes.has(code)),
      ['INTERNAL'],
    )
    assert.ok(requests >= least, `${requests} requests`)
  })
})

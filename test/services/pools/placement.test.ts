import assert from 'node:assert/strict'
import type { TaskRequest } from '../../../src/domain/task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, refusalOf, startRig, taught_ms, teach, type Rig, type RigOptions, type TaskFields } from '../../harness/rig.ts'
import { brokenEngine } from '../../harness/scripted-engine.ts'

type Placement = NonNullable<TaskRequest['placement']>

const small = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> =>
  poolConfig({
    id,
    queue: { capacity: 1, full_policy: 'reject' },
    replicas: [{ id: 'r0', slots: 1, devices: [id === 'a' ? 0 : 1] }],
    ...fields,
  })

/** Pools a, b and c of one model, and one of another. */
const pools = [
  small('a'),
  small('b'),
  small('c', { replicas: [{ id: 'r0', slots: 1, devices: [1, 2] }] }),
  small('x', { model: 'mock:other' }),
]

const start = (options: RigOptions = {}): Promise<Rig> => startRig({ pools, ...options })

/** Where a task goes. */
const poolOf = async (rig: Rig, placement?: Placement, fields: TaskFields = {}): Promise<string> =>
  (await rig.run({ ...(placement === undefined ? {} : { placement }), ...fields })).pool_id

async function refusal(rig: Rig, placement: Placement, fields: TaskFields = {}): Promise<string> {
  const { kind, message } = await refusalOf(rig.admit({ placement, ...fields }))
  return `${kind} ${message}`
}

/** Fails a pool's only replica. */
const takeDown = (rig: Rig, id: string): void => {
  rig.engine(`${id}/r0`).die(brokenEngine())
}

describe('placement', () => {
  it('takes the earliest predicted start, in the order of the configuration where they are equal', async () => {
    const rig = await start()
    assert.deepEqual([await poolOf(rig), await poolOf(rig), await poolOf(rig, { mode: 'auto' })], ['a', 'b', 'c'])
    await rig.clock.advance(10)
    rig.engine('b/r0').call.finish()
    await settled()
    assert.equal(await poolOf(rig), 'b')
    assert.equal(rig.metric('placement_candidates_considered').at(-1)?.value, 3)
  })

  it('pins, and never goes elsewhere', async () => {
    const rig = await start()
    const pin: Placement = { mode: 'pin', pin_pool_id: 'b' }
    assert.deepEqual([await poolOf(rig, pin), await poolOf(rig, pin)], ['b', 'b'])
    assert.match(await refusal(rig, pin), /^queue_full The queue of pool b is full/)
    takeDown(rig, 'b')
    assert.match(await refusal(rig, pin), /^replica_exhausted/)
    assert.deepEqual(rig.metric('placement_decisions_total').at(0)?.labels, { outcome: 'assigned', pinned: 'true', fallback: 'false' })
    assert.deepEqual(rig.metric('placement_decisions_total').at(-1)?.labels, { outcome: 'no_capacity', pinned: 'true', fallback: 'false' })
  })

  it('refuses a pin to what is unknown, excluded or of another model, and names the field', async () => {
    const rig = await start()
    assert.match(
      await refusal(rig, { mode: 'pin', pin_pool_id: 'nope' }),
      /^invalid_params body\.placement\.pin_pool_id: there is no pool nope/,
    )
    assert.match(await refusal(rig, { mode: 'pin', pin_pool_id: 'x' }), /^invalid_params body\.placement\.pin_pool_id/)
    assert.match(await refusal(rig, { mode: 'pin', pin_pool_id: 'a', avoid_pools: ['a'] }), /^invalid_params body\.placement\.pin_pool_id/)
    assert.match(
      await refusal(rig, { mode: 'pin', pin_pool_id: 'a', require_device_mask: [1] }),
      /^invalid_params body\.placement\.pin_pool_id/,
    )
  })

  it('refuses a workload that the pinned pool, or every pool, cannot do', async () => {
    const rig = await start({ props: { workloads: ['completion'] } })
    const embedding = { workload: 'embedding' as const, prompt: undefined, inputs: ['a'] }
    for (const placement of [{ mode: 'auto' as const }, { mode: 'pin' as const, pin_pool_id: 'a' }])
      assert.match(await refusal(rig, placement, embedding), /^invalid_params body\.workload: /)
  })

  it('tries preferred pools in their order, then the others', async () => {
    const rig = await start()
    const prefer: Placement = { mode: 'prefer', prefer_pools: ['c', 'b'] }
    assert.equal(await poolOf(rig, prefer), 'c')
    assert.equal(await poolOf(rig, prefer), 'c', 'c has a place, although b would start sooner')
    assert.equal(await poolOf(rig, prefer), 'b')
    assert.equal(await poolOf(rig, prefer), 'b')
    assert.equal(rig.metric('placement_decisions_total').at(-1)?.labels['fallback'], 'false')
    assert.equal(await poolOf(rig, prefer), 'a')
    assert.equal(rig.metric('placement_decisions_total').at(-1)?.labels['fallback'], 'true')
  })

  it('falls back where a preferred pool is down, or where the task would start there too late', async () => {
    const rig = await start()
    for (const id of ['a', 'b']) teach(rig.pool(id))
    await poolOf(rig, { mode: 'pin', pin_pool_id: 'b' })
    assert.equal(await poolOf(rig, { mode: 'prefer', prefer_pools: ['b'] }, { deadline_ms: taught_ms + 50 }), 'a')
    takeDown(rig, 'c')
    assert.equal(await poolOf(rig, { mode: 'prefer', prefer_pools: ['c'] }), 'a')
  })

  it('does not fall back where the client forbids it', async () => {
    const rig = await start()
    const only: Placement = { mode: 'prefer', prefer_pools: ['b'], allow_fallback: false }
    assert.deepEqual([await poolOf(rig, only), await poolOf(rig, only)], ['b', 'b'])
    assert.match(await refusal(rig, only), /^queue_full/)
    assert.match(
      await refusal(rig, { ...only, prefer_pools: ['c', 'b'] }, { deadline_ms: 600_000, ctx: 9000 }),
      /^invalid_params body\.ctx/,
    )
    takeDown(rig, 'b')
    assert.match(await refusal(rig, only), /^replica_exhausted/)
    assert.match(await refusal(rig, { ...only, prefer_pools: ['x'] }), /^invalid_params body\.placement\.prefer_pools: /)
    assert.match(
      await refusal(rig, { ...only, prefer_pools: ['nope'] }),
      /^invalid_params body\.placement\.prefer_pools: there is no pool nope/,
    )
  })

  it('avoids pools, and takes only those with a replica on all devices that are required', async () => {
    const rig = await start()
    assert.equal(await poolOf(rig, { mode: 'auto', avoid_pools: ['a'] }), 'b')
    assert.equal(await poolOf(rig, { mode: 'auto', require_device_mask: [2, 1] }), 'c')
    assert.equal(await poolOf(rig, { mode: 'prefer', prefer_pools: ['a'], require_device_mask: [1] }), 'b')
    assert.match(await refusal(rig, { mode: 'auto', require_device_mask: [0, 1] }), /^invalid_params body\.placement: /)
    assert.match(await refusal(rig, { mode: 'auto', avoid_pools: ['a', 'b', 'c'] }), /^invalid_params body\.placement: /)
    assert.match(await refusal(rig, { mode: 'auto', avoid_pools: ['nope'] }), /^invalid_params body\.placement\.avoid_pools: /)
  })

  it('takes a pool with a place before one that is full, and a full one only where all are', async () => {
    const rig = await startRig({ pools: [small('a', { queue: { capacity: 1, full_policy: 'drop-lru' } }), small('b')] })
    for (let i = 0; i < 2; i++) await poolOf(rig, { mode: 'pin', pin_pool_id: 'a' })
    await poolOf(rig, { mode: 'pin', pin_pool_id: 'b' }, { max_tokens: 100 })
    // a would start it sooner, but batch work cannot displace what waits there.
    assert.equal(await poolOf(rig, { mode: 'auto' }, { priority: 'batch' }), 'b')
    assert.match(await refusal(rig, { mode: 'auto' }, { priority: 'batch' }), /^(nothing_to_drop|queue_full) /)
  })

  it('says what is unknown or down', async () => {
    const rig = await start()
    const unserved = await refusalOf(rig.admit({ model_ref: 'mock:none' }))
    assert.equal(unserved.kind, 'not_found')
    for (const id of ['a', 'b', 'c']) takeDown(rig, id)
    const down = await refusalOf(rig.admit())
    assert.deepEqual([down.kind, down.code, down.details.retry_after_ms], ['pool_unavailable', 'POOL_UNAVAILABLE', 1000])
    const one = await refusalOf(rig.admit({ model_ref: 'mock:other', placement: { mode: 'auto' }, ctx: 8192, max_tokens: 8190 }))
    assert.equal(one.kind, 'prompt_too_long')
    assert.match(one.message, /^body\.ctx: the prompt has 3 tokens and max_tokens is 8190/)
  })

  it('says that engines still start', async () => {
    const rig = await start({ prepare: (engine) => (engine.onStart = () => new Promise(() => undefined)) })
    const error = await refusalOf(rig.admit())
    assert.deepEqual([error.kind, error.code], ['pool_unready', 'POOL_UNREADY'])
  })

  it('holds the rules of a pool: ctx, max_tokens_out, sampler profile, determinism', async () => {
    const rig = await startRig({
      pools: [poolConfig({ max_tokens_out: 20, sampler_profile_version: 'v2' })],
      props: { ctx_max: 100, replayable: false },
    })
    const no = async (fields: TaskFields): Promise<string> => refusal(rig, { mode: 'auto' }, { ctx: 100, ...fields })
    assert.match(await no({ ctx: 101 }), /^invalid_params body\.ctx: 101 is more than the 100/)
    assert.match(await no({ max_tokens: 21 }), /^invalid_params body\.max_tokens: 21 is more than the 20/)
    assert.match(await no({ ctx: 12, max_tokens: 10 }), /^prompt_too_long body\.ctx: the prompt has 3 tokens/)
    assert.match(await no({ sampler_profile_version: 'v1' }), /^invalid_params body\.sampler_profile_version: /)
    assert.match(await no({ determinism: 'strict' }), /^invalid_params body\.determinism: /)
    assert.equal(await poolOf(rig, { mode: 'auto' }, { ctx: 13, max_tokens: 10, sampler_profile_version: 'v2' }), 'pool')
  })

  it('puts a task on the replica with the fewest busy slots', async () => {
    const rig = await startRig({
      pools: [
        poolConfig({
          replicas: [
            { id: 'r0', slots: 2 },
            { id: 'r1', slots: 2 },
          ],
        }),
      ],
    })
    for (let i = 0; i < 3; i++) await poolOf(rig)
    assert.deepEqual(
      ['pool/r0', 'pool/r1'].map((name) => rig.engine(name).running.length),
      [2, 1],
    )
  })
})

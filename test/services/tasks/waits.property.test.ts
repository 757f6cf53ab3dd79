import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Waits } from '../../../src/domain/queue/waits.ts'
import { onDevices } from '../../../src/services/pools/replica-choice.ts'
import type { LiveTask } from '../../../src/services/tasks/live-task.ts'
import { waitsNow } from '../../../src/services/tasks/waiting.ts'
import { settled } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { poolConfig, startRig, type Rig } from '../../harness/rig.ts'

const pools = [
  poolConfig({
    queue: { batch_every: 3 },
    replicas: [
      { id: 'r0', slots: 2, devices: [0] },
      { id: 'r1', slots: 1, devices: [1] },
    ],
  }),
]

const kinds = { admit: 8, finish: 4, fail: 2, die: 1, time: 2, drain: 1, resume: 2 }
type Kind = keyof typeof kinds

const step = fc.record({
  kind: fc.oneof(...Object.entries(kinds).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) }))),
  pick: fc.nat(20),
  priority: fc.constantFrom('interactive', 'interactive', 'batch'),
  pinned: fc.constantFrom(undefined, undefined, undefined, [0], [1]),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A moment: who waits, and what each of them is told. */
const toldIn = (rig: Rig): Map<LiveTask, Waits> => {
  const now = rig.clock.now()
  return new Map(
    Array.from(rig.pool().scheduler.tasks(), (task) => {
      const waits = waitsNow(task, rig.pool().scheduler.ahead(task), now)
      return [task, waits ?? assert.fail('who waits is told why')]
    }),
  )
}

async function act(rig: Rig, { kind, pick, priority, pinned }: Step): Promise<void> {
  const calls = [...rig.engines.values()].flatMap(({ running }) => running)
  const call = calls[pick % Math.max(1, calls.length)]
  if (kind === 'admit') {
    const placement = pinned === undefined ? {} : { placement: { mode: 'auto' as const, require_device_mask: [...pinned] } }
    await rig.admit({ priority, ...placement }).catch(() => undefined)
  } else if (kind === 'finish') call?.finish()
  else if (kind === 'fail') call?.fail()
  else if (kind === 'die') rig.engine(pick % 2 === 0 ? 'pool/r0' : 'pool/r1').die()
  else if (kind === 'time') await rig.clock.advance([10, 250, 2000][pick % 3] ?? 0)
  else if (kind === 'drain') await rig.drain.order('pool', 600_000)
  else await rig.drain.revoke('pool').catch(() => undefined)
  await settled()
}

/** Codes of those whom a slot that becomes free may start. */
const startable = new Set(['next', 'replica_pinned', 'run_again', 'continues', 'runs_alone', 'draining', 'breaker_open'])

/** What was told before one run ended must be what happened: who was next has started if anybody has, and nobody whom something else kept back. */
function checkFinish(rig: Rig, before: ReadonlyMap<LiveTask, Waits>): void {
  const started = [...before].filter(([task]) => task.started_at !== undefined)
  const next = [...before].find(([, { code }]) => code === 'next')
  for (const [task, waits] of started) {
    const replica = rig.pool().replicas.find(({ id }) => id === task.replica_id) ?? assert.fail('who has started has a replica')
    const passed = [...before].filter(([one, { ahead = 0 }]) => one.started_at === undefined && ahead < (waits.ahead ?? 0))
    // Where one lets others pass, for it may not go where they go, the turn of the classes comes otherwise than its place has it.
    const others = passed.length === 0 || passed.some(([one]) => !onDevices(replica, one.accepted.request))
    assert.ok(startable.has(waits.code) || others, `${waits.code} started before ${passed.map(([, { code }]) => code).join()}`)
  }
  if (next !== undefined && started.length > 0) assert.ok(next[0].started_at !== undefined, 'who was told to be next has started')
}

/** Nobody waits who could go, and what is told fits how the replicas are. */
function checkMoment(rig: Rig, told: ReadonlyMap<LiveTask, Waits>): void {
  const { replicas } = rig.pool()
  const up = replicas.filter(({ state }) => state === 'ready')
  for (const [task, { code, ahead, slots }] of told) {
    const able = up.filter((one) => onDevices(one, task.accepted.request))
    assert.ok(!able.some(({ hasFreeSlot }) => hasFreeSlot), `it is told ${code}, and could go`)
    assert.equal(ahead, rig.pool().scheduler.ahead(task)?.position)
    if (code === 'pool_down') assert.deepEqual([up.length, replicas.some(({ onTrial }) => onTrial)], [0, false])
    if (able.length > 0)
      assert.equal(
        slots,
        able.reduce((sum, one) => sum + one.slots, 0),
      )
  }
}

describe('why tasks wait, in any life of a pool', () => {
  it('is what then happens', async () => {
    let moments = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
        const rig = await startRig({ pools, props: { features: ['chat_template', 'continues'] } })
        for (const one of steps) {
          const before = toldIn(rig)
          await act(rig, one)
          if (one.kind === 'finish') checkFinish(rig, before)
          const told = toldIn(rig)
          checkMoment(rig, told)
          moments += told.size
        }
      }),
      { numRuns: repeats({ quick: 30, long: 1000 }) },
    )
    assert.ok(moments > 200)
  })
})

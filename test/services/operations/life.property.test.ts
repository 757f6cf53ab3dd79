import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DomainError } from '../../../src/domain/errors.ts'
import type { Priority } from '../../../src/domain/task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, poolConfig, startRig, taskOf, type Rig, type Tail } from '../../harness/rig.ts'
import { unfinishedOf } from '../../harness/unfinished.ts'

const owners = [ann, bob] as const
const names = [
  'admit',
  'admit',
  'admit',
  'repeat',
  'cancel',
  'say',
  'say',
  'finish',
  'finish',
  'fail',
  'die',
  'deaf',
  'wait',
  'disk',
  'hold',
  'read',
] as const

const step = fc.record({
  name: fc.constantFrom(...names),
  pick: fc.nat(99),
  priority: fc.constantFrom<Priority>('interactive', 'batch'),
  ms: fc.constantFrom(1, 99, 500, 1000, 3000),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const config = poolConfig({
  replicas: [
    { id: 'r0', slots: 2 },
    { id: 'r1', slots: 1 },
  ],
  queue: { capacity: 3, full_policy: 'drop-lru', batch_every: 3 },
  timeouts: { wall_ms: 5000, idle_ms: 2000, abort_ms: 300 },
})

/** A daemon to which anything happens, and what its clients were told. */
class Life {
  readonly accepted: { readonly owner: (typeof owners)[number]; readonly task_id: string; readonly session_id: string; tail?: Tail }[] = []
  private readonly rig: Rig
  private readonly pending: Promise<unknown>[] = []
  private made = 0
  /** The disk does not answer, so that tasks are on their way into the queue. */
  private held = false

  constructor(rig: Rig) {
    this.rig = rig
  }

  async run({ name, pick, priority, ms }: Step): Promise<void> {
    const { rig } = this
    const engine = rig.engine(pick % 2 === 0 ? 'pool/r0' : 'pool/r1')
    const call = engine.running[pick % Math.max(1, engine.running.length)]
    const one = this.accepted[pick % Math.max(1, this.accepted.length)]
    if (name === 'admit') this.admit(`t${++this.made}`, pick, priority)
    else if (name === 'repeat') this.admit(`t${1 + (pick % (this.made + 1))}`, pick, priority)
    else if (name === 'cancel' && one !== undefined) this.cancel(one)
    else if (name === 'read' && one !== undefined) one.tail ??= await this.within(rig.tail(one.task_id, one.owner))
    else if (name === 'say') call?.say(`${pick} `)
    else if (name === 'finish') call?.finish()
    else if (name === 'fail') call?.fail()
    else if (name === 'die' && pick < 30) engine.die()
    else if (name === 'deaf') engine.deaf = pick < 50
    else if (name === 'wait') await rig.clock.advance(ms)
    else if (name === 'disk') rig.storage.broken = pick < 30
    else if (name === 'hold') this.holdOrRelease(pick < 40)
    await settled()
    for (const [id, slots] of [
      ['r0', 2],
      ['r1', 1],
    ] as const)
      assert.ok(rig.engine(`pool/${id}`).running.length <= slots, 'more runs than there are slots')
    // Three that were admitted, and three whose engine failed before the first token.
    assert.ok(rig.pool().scheduler.depth() + rig.pool().slotsBusy <= 3 + 3, 'more tasks than may be admitted')
    if (!this.held) this.checkDepth()
  }

  /** What waits is what was told of it last. */
  private checkDepth(): void {
    for (const priority of ['interactive', 'batch'] as const) {
      const told = this.rig.metric('queue_depth').findLast(({ labels }) => labels['priority'] === priority)
      assert.equal(told?.value ?? 0, this.rig.pool().scheduler.depth(priority), `${priority} tasks that wait, and how many were told of`)
    }
  }

  /** Everything works again, and whatever runs is let finish. */
  async calmDown(): Promise<void> {
    const { rig } = this
    this.holdOrRelease(false)
    rig.storage.broken = false
    for (const engine of rig.engines.values()) engine.deaf = false
    // A repetition that waited for its twin to be refused is admitted only now.
    const asked = { open: true }
    const answered = Promise.all(this.pending).finally(() => (asked.open = false))
    for (let round = 0; asked.open || rig.live.size > 0 || rig.pool().slotsBusy > 0; round++) {
      assert.ok(round < 400, `tasks that never end: ${[...rig.live.all()].map(({ id, phase }) => `${id} ${phase}`).join()}`)
      await rig.clock.advance(500)
      for (const engine of rig.engines.values()) for (const call of engine.running) call.finish()
      await settled()
    }
    await answered
  }

  async check(): Promise<void> {
    const { rig } = this
    assert.deepEqual([rig.pool().slotsBusy, rig.pool().running.size, rig.pool().scheduler.depth()], [0, 0, 0])
    assert.deepEqual(await unfinishedOf(rig.storage.journal), [])
    for (const { owner, task_id, session_id, tail } of this.accepted) {
      const ends = rig.storage.facts('finished').filter(({ key }) => key.owner === owner.name && key.task_id === task_id)
      const taken = rig.storage.facts('accepted').filter(({ task }) => task.owner === owner.name && task.task_id === task_id)
      assert.equal(ends.length, taken.length, `${task_id} was taken ${taken.length} times and has ${ends.length} ends`)
      assert.ok(ends.slice(0, -1).every(({ outcome }) => outcome.error?.retriable === true))
      const replay = await rig.tail(task_id, owner)
      assert.match(replay.kinds, /^started( token)* metrics (end|error)$/)
      if (tail !== undefined && taken.length === 1) {
        assert.match(tail.kinds, /^started( token| metrics)* metrics (end|error)$/)
        assert.deepEqual(tail.end, replay.end)
        assert.equal(tail.text.startsWith(replay.text), true)
        assert.deepEqual(
          tail.frames.flatMap(({ event, data }) => (event === 'token' ? [data?.['i']] : [])),
          tail.frames.filter(({ event }) => event === 'token').map((_, index) => index),
        )
      }
      const starts = rig.lines.filter(
        ({ fields }) => fields['event'] === 'start' && fields['key_name'] === owner.name && fields['session_id'] === session_id,
      )
      assert.equal(
        rig.sessions.info(owner, session_id).turns,
        new Set(starts.map(({ fields }) => fields['correlation_id'])).size,
        'a turn for each task that was dispatched, and one more for each time it was taken anew and dispatched',
      )
    }
  }

  private admit(task_id: string, pick: number, priority: Priority): void {
    const owner = owners[Number(task_id.slice(1)) % 2] ?? ann
    // The same id comes with the same body only where priority and deadline are the same again.
    const fields = {
      task_id,
      priority,
      session_id: `s${Number(task_id.slice(1)) % 3}`,
      seed: Number(task_id.slice(1)),
      deadline_ms: pick % 5 === 0 ? 700 : 600_000,
    }
    const admitted = this.rig.admission.admit(owner, taskOf(fields), `c${this.pending.length}`).then(
      () => {
        if (!this.accepted.some((one) => one.task_id === task_id)) this.accepted.push({ owner, task_id, session_id: fields.session_id })
      },
      (error: unknown) => {
        assert.ok(error instanceof DomainError && error.kind !== 'internal', String(error))
      },
    )
    this.pending.push(admitted)
  }

  private cancel(one: (typeof this.accepted)[number]): void {
    const { rig } = this
    const was = rig.live.of(one.owner.name, one.task_id)
    const canceled = rig.cancellation.cancel(one.owner, one.task_id).then(
      () => {
        if (one.tail !== undefined && was !== undefined)
          assert.ok(one.tail.end !== undefined, 'canceled, and a reader does not stand on the end')
        // A repetition may be on its way to find out that the task has ended, or has taken it anew.
        assert.ok(was === undefined || rig.live.of(was.owner, was.head.task_id) !== was)
      },
      (error: unknown) => {
        assert.ok(error instanceof DomainError && error.kind === 'pool_unavailable', String(error))
      },
    )
    this.pending.push(canceled)
  }

  private holdOrRelease(hold: boolean): void {
    this.held = hold
    if (hold) this.rig.storage.hold()
    else this.rig.storage.release()
  }

  /** A tail that is opened now, or none where the storage does not answer. */
  private async within(opened: Promise<Tail>): Promise<Tail> {
    this.holdOrRelease(false)
    return opened
  }
}

describe('the life of tasks', () => {
  it('ends every accepted task exactly once, whatever happens to engines, disk and clients', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const life = new Life(await startRig({ pools: [config], sessions: { ttl_ms: 2_000_000_000, max_turns: 1000 } }))
        for (const one of steps) await life.run(one)
        await life.calmDown()
        await life.check()
      }),
      { numRuns: 150 },
    )
  })
})

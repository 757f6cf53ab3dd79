import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Scheduler, unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'
import { waitsAlone, waitsOf, type PoolSeen, type ReplicaSeen, type Waiter, type Waits } from '../../../src/domain/queue/waits.ts'
import type { Priority } from '../../../src/domain/task.ts'
import { repeats } from '../../harness/long.ts'

const replica = (fields: Partial<ReplicaSeen> = {}): ReplicaSeen => ({
  id: 'r0',
  state: 'ready',
  slots: 1,
  free: false,
  fits: true,
  on_trial: false,
  ready_in_ms: undefined,
  ...fields,
})

const pool = (replicas: readonly ReplicaSeen[], fields: Partial<PoolSeen> = {}): PoolSeen => ({
  life: 'open',
  leaves: undefined,
  sleeps: undefined,
  replicas,
  ...fields,
})

const first: Waiter = { priority: 'interactive', position: 0, passing: 0, again: undefined, alone: false }

/** A task of a small queue: the replicas that it may run on. */
interface Pinned extends Schedulable {
  readonly mask: number
}

const taskArbitrary = fc.record({
  priority: fc.constantFrom<Priority>('interactive', 'batch'),
  /** A bit for each of three replicas; most tasks may run on all. */
  mask: fc.oneof({ weight: 3, arbitrary: fc.constant(7) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 7 }) }),
})

const replicaArbitrary = fc.record({
  state: fc.constantFrom<ReplicaSeen['state']>('ready', 'ready', 'ready', 'down', 'starting', 'stopped'),
  slots: fc.integer({ min: 1, max: 3 }),
})

const world = fc.record({
  tasks: fc.array(taskArbitrary, { minLength: 1, maxLength: 12 }),
  replicas: fc.array(replicaArbitrary, { minLength: 1, maxLength: 3 }),
  batch_every: fc.constantFrom(1, 2, 3, 8),
  dispatched: fc.nat(6),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** A queue whose pool has no free slot that anybody could have. */
class Queue {
  readonly scheduler: Scheduler<Pinned>
  private readonly replicas: World['replicas']

  constructor({ tasks, replicas, batch_every, dispatched }: World) {
    this.replicas = replicas
    this.scheduler = new Scheduler<Pinned>({ capacity: 100, full_policy: 'reject', batch_every })
    for (const [index, { priority, mask }] of tasks.entries())
      this.scheduler.restore({ id: `t${index}`, owner: 'ann', priority, mask, deadline_at: 0, work_ms: 1, ...unplaced })
    for (let i = 0; i < dispatched; i++) this.scheduler.next((task) => this.ready.some((at) => fits(task, at)))
  }

  /** Replicas that are up. */
  get ready(): number[] {
    return this.replicas.flatMap(({ state }, at) => (state === 'ready' ? [at] : []))
  }

  /** Who starts when a slot of a replica becomes free. */
  startOn(at: number): string | undefined {
    return this.scheduler.next((task) => fits(task, at))?.id
  }

  told(): Map<string, Waits> {
    const seen = ({ mask }: Pinned): PoolSeen =>
      pool(this.replicas.map((one, at) => replica({ ...one, id: `r${at}`, fits: fits({ mask }, at) })))
    return new Map(
      Array.from(this.scheduler.tasks(), (task) => {
        const { position, passing } = this.scheduler.ahead(task) ?? assert.fail('it is in the queue')
        return [task.id, waitsOf({ ...first, priority: task.priority, position, passing }, seen(task))]
      }),
    )
  }
}

const fits = ({ mask }: Pick<Pinned, 'mask'>, at: number): boolean => (mask & (1 << at)) !== 0

describe('why a task waits', () => {
  it('is what the scheduler does next: who is told so starts with the next slot, and nobody whom a replica keeps back', () => {
    fc.assert(
      fc.property(world, (given) => {
        const queue = new Queue(given)
        const told = queue.told()
        for (const at of queue.ready) {
          const started = new Queue(given).startOn(at)
          for (const [id, { code }] of told) {
            const task = [...queue.scheduler.tasks()].find((one) => one.id === id)
            if (task === undefined) continue
            if (code === 'next') assert.equal(started, id)
            if (['pool_down', 'model_loading'].includes(code)) assert.fail(`${code} while replica ${at} is up`)
            if (code === 'replica_pinned' && started === id) assert.ok(fits(task, at))
            if (code === 'batch_yields') assert.equal(task.priority, 'batch')
            if (started === id) assert.ok(['next', 'replica_pinned', 'slots_busy', 'batch_yields'].includes(code))
          }
        }
        if (queue.ready.length === 0)
          for (const { code } of told.values())
            assert.ok(given.replicas.some(({ state }) => state === 'starting') ? code === 'model_loading' : code === 'pool_down')
      }),
      { numRuns: repeats({ quick: 300, long: 20_000 }) },
    )
  })

  it('counts who starts before, and says for whom: all of a queue start in the order that was told', () => {
    fc.assert(
      fc.property(world, ({ tasks, ...given }) => {
        const queue = new Queue({ ...given, tasks: tasks.map((one) => ({ ...one, mask: 7 })), replicas: [{ state: 'ready', slots: 1 }] })
        const told = queue.told()
        const all = new Map(Array.from(queue.scheduler.tasks(), (task) => [task.id, task]))
        const before: Priority[] = []
        for (let id = queue.startOn(0); id !== undefined; id = queue.startOn(0)) {
          const { code, ahead } = told.get(id) ?? assert.fail('it was told')
          const { priority } = all.get(id) ?? assert.fail('it waited')
          assert.equal(ahead, before.length)
          const yields = priority === 'batch' && before.includes('interactive')
          assert.equal(code, ahead === 0 ? 'next' : yields ? 'batch_yields' : 'slots_busy')
          before.push(priority)
        }
      }),
      { numRuns: repeats({ quick: 200, long: 20_000 }) },
    )
  })

  it('names what keeps the whole pool back before what keeps the task back', () => {
    const busy = [replica()]
    const asleep = { state: 'asleep', loaded_in_ms: 1500.2, retry_in_ms: undefined, holder: 'b' } as const
    const code = (of: PoolSeen, task: Waiter = first): string => waitsOf(task, of).code
    assert.equal(code(pool(busy, { life: 'closing', sleeps: asleep })), 'stopping')
    assert.equal(code(pool(busy, { life: 'new', sleeps: asleep })), 'recovering')
    const { until_ms } = waitsOf(first, pool([replica({ state: 'down', ready_in_ms: 1e12 })]))
    assert.equal(until_ms, 2 ** 31 - 1, 'no later than the contract can say')
    assert.deepEqual(waitsOf(first, pool([replica({ slots: 3, state: 'stopped' })], { sleeps: asleep })), {
      code: 'model_asleep',
      text: 'b has the GPU',
      until_ms: 1501,
      pool_id: 'b',
      ahead: 0,
      slots: 3,
    })
    assert.equal(waitsOf(first, pool(busy, { sleeps: { ...asleep, holder: undefined } })).text, 'its model is not loaded')
    assert.equal(code(pool(busy, { sleeps: { ...asleep, state: 'loading' } })), 'model_loading')
    const failing = waitsOf(first, pool(busy, { sleeps: { ...asleep, retry_in_ms: 250 } }))
    assert.deepEqual([failing.code, failing.until_ms], ['pool_down', 250])
    assert.equal(waitsOf(first, pool(busy, { sleeps: { ...asleep, retry_in_ms: Infinity } })).until_ms, undefined)
    assert.equal(code(pool([replica({ state: 'down' })], { leaves: { ends_in_ms: 5 } })), 'pool_down')
    const leaves = waitsOf({ ...first, alone: true }, pool(busy, { leaves: { ends_in_ms: 5 } }))
    assert.deepEqual([leaves.code, leaves.until_ms], ['draining', 5])
  })

  it('tells a replica that is gone from one that is being tried, and when it is tried again', () => {
    const down = replica({ state: 'down', ready_in_ms: 900 })
    const told = (...replicas: ReplicaSeen[]): unknown[] => {
      const { code, until_ms, replica_id } = waitsOf(first, pool(replicas))
      return [code, until_ms, replica_id]
    }
    assert.deepEqual(told(replica({ state: 'starting', ready_in_ms: 700 })), ['model_loading', 700, undefined])
    assert.deepEqual(told(down, replica({ id: 'r1', state: 'down', ready_in_ms: 400 })), ['pool_down', 400, undefined])
    assert.deepEqual(told({ ...down, on_trial: true }), ['breaker_open', 900, undefined])
    assert.deepEqual(told(replica({ on_trial: true })), ['breaker_open', undefined, undefined])
    assert.deepEqual(told(replica(), replica({ id: 'r1', on_trial: true })), ['next', undefined, undefined])
    assert.deepEqual(told(down, replica({ id: 'r1', fits: false })), ['replica_pinned', 900, 'r0'])
    assert.deepEqual(told(replica({ state: 'stopped' })), ['pool_down', undefined, undefined])
  })

  it('says of a task whose run was cut off how it goes on, and of one that runs alone that it does', () => {
    const told = (task: Partial<Waiter>): unknown[] => {
      const { code, text } = waitsOf({ ...first, ...task }, pool([replica()]))
      return [code, text]
    }
    const again = { continues: false, restored: false }
    assert.deepEqual(told({ again }), ['run_again', 'starts again after its engine failed'])
    assert.deepEqual(told({ again: { ...again, restored: true } }), ['run_again', 'starts again after a restart of the daemon'])
    assert.deepEqual(told({ again: { ...again, continues: true } }), ['continues', 'goes on from its text after its engine failed'])
    assert.equal(told({ again, alone: true })[0], 'runs_alone')
    assert.deepEqual(waitsAlone('r0'), { code: 'runs_alone', text: told({ alone: true })[1], replica_id: 'r0' })
  })
})

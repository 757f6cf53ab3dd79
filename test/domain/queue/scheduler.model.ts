import type { Place } from '../../../src/domain/queue/ahead.ts'
import { unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'
import type { SchedulerRules } from '../../../src/domain/queue/scheduler-rules.ts'
import type { Priority } from '../../../src/domain/task.ts'

export interface Item {
  readonly task: Schedulable
  state: 'tentative' | 'queued' | 'requeued' | 'aside'
  displaces: Item | undefined
}

/**
 * What a scheduler does, written as plainly as possible: one array, what was given back first and the rest in order of admission, searched
 * from its start each time. Keeps tasks by identity and never reads what the scheduler writes into them.
 */
export class SchedulerModel {
  items: Item[]
  private readonly rules: SchedulerRules
  private passed: number
  /** All that were ever admitted or restored, in that order. */
  private readonly known: Schedulable[] = []

  constructor(rules: SchedulerRules, items: Item[] = [], passed = 0) {
    this.rules = rules
    this.items = items
    this.passed = passed
  }

  depth(priority?: Priority): number {
    return this.items.filter(({ task, state }) => state !== 'aside' && (priority === undefined || task.priority === priority)).length
  }

  owners(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { task } of this.items) counts.set(task.owner, (counts.get(task.owner) ?? 0) + 1)
    return counts
  }

  hasPlaceFor(task: Schedulable): boolean {
    return this.depth() < this.rules.capacity || (this.rules.full_policy === 'drop-lru' && this.victimOf(task) !== undefined)
  }

  admit(task: Schedulable): Schedulable | undefined {
    const victim = this.depth() >= this.rules.capacity ? this.victimOf(task) : undefined
    if (victim !== undefined) victim.state = 'aside'
    this.known.push(task)
    this.items.push({ task, state: 'tentative', displaces: victim })
    return victim?.task
  }

  confirm(task: Schedulable): void {
    const item = this.find(task)
    if (item === undefined) return
    if (item.state === 'tentative') item.state = 'queued'
    if (item.displaces !== undefined) this.drop(item.displaces)
    item.displaces = undefined
  }

  rollback(task: Schedulable): void {
    const item = this.find(task)
    if (item === undefined) return
    this.drop(item)
    if (item.displaces !== undefined) item.displaces.state = 'queued'
  }

  restore(task: Schedulable): void {
    this.known.push(task)
    this.items.push({ task, state: 'queued', displaces: undefined })
  }

  requeue(task: Schedulable): void {
    const requeued = this.items.filter(({ state }) => state === 'requeued')
    const others = this.items.filter(({ state }) => state !== 'requeued')
    requeued.push({ task, state: 'requeued', displaces: undefined })
    requeued.sort((a, b) => this.known.indexOf(a.task) - this.known.indexOf(b.task))
    this.items = [...requeued, ...others]
  }

  next(): Schedulable | undefined {
    const interactive = this.dispatchable('interactive')
    const batch = this.dispatchable('batch')
    const batchIsDue = batch !== undefined && this.passed >= this.rules.batch_every - 1
    const item = interactive === undefined || batchIsDue ? batch : interactive
    if (item === undefined) return undefined
    this.passed = item === interactive && batch !== undefined ? this.passed + 1 : 0
    this.drop(item)
    return item.task
  }

  remove(task: Schedulable): boolean {
    const item = this.find(task)
    if (item === undefined || !waits(item)) return false
    this.drop(item)
    return true
  }

  /** Ids, in order of deadline; equal deadlines in order of id, for nothing says which comes first. */
  expired(now: number): string[] {
    return inOrder(this.items.filter((item) => waits(item) && item.task.deadline_at <= now).map(({ task }) => task))
  }

  /** Drains a copy in which every admission has been confirmed, until the task comes out. */
  ahead(wanted: Schedulable): Place | undefined {
    const found = this.find(wanted)
    if (found === undefined || found.state === 'aside') return undefined
    const copy = this.settledCopy()
    let position = 0
    let passing = 0
    let work_ms = 0
    for (let task = copy.next(); task !== undefined && task !== wanted; task = copy.next()) {
      position++
      if (task.priority !== wanted.priority) passing++
      work_ms += task.work_ms
    }
    return { position, passing, work_ms, may_pass: this.passersBy(found.task) - position }
  }

  /** Tasks that are dispatched before this one if those of the other class never cease to come. */
  private passersBy(task: Schedulable): number {
    if (task.priority === 'interactive' && this.rules.batch_every === 1) return Infinity
    const copy = this.settledCopy()
    const others = (this.items.length + 1) * (this.rules.batch_every + 1)
    for (let i = 0; i < others; i++)
      copy.restore({ ...task, id: `other ${i}`, priority: task.priority === 'batch' ? 'interactive' : 'batch' })
    let count = 0
    for (let next = copy.next(); next !== undefined && next.id !== task.id; next = copy.next()) count++
    return count
  }

  aheadOfNewcomer({ owner, priority }: Pick<Schedulable, 'owner' | 'priority'>): Place | undefined {
    const newcomer = { id: 'newcomer', owner, priority, deadline_at: 0, work_ms: 0, ...unplaced }
    const victim = this.rules.full_policy === 'drop-lru' && this.depth() >= this.rules.capacity ? this.victimOf(newcomer) : undefined
    const copy = this.settledCopy()
    if (victim !== undefined) copy.remove(victim.task)
    copy.restore(newcomer)
    return copy.ahead(newcomer)
  }

  tasks(): Schedulable[] {
    return (['interactive', 'batch'] as const).flatMap((priority) =>
      this.items.filter((item) => waits(item) && item.task.priority === priority).map(({ task }) => task),
    )
  }

  find(task: Schedulable): Item | undefined {
    return this.items.find((item) => item.task === task)
  }

  dispatchable(priority: Priority): Item | undefined {
    const first = this.items.find(({ task, state }) => task.priority === priority && state !== 'aside')
    return first !== undefined && waits(first) ? first : undefined
  }

  private settledCopy(): SchedulerModel {
    const items = this.items
      .filter(({ state }) => state !== 'aside')
      .map(({ task }): Item => ({ task, state: 'queued', displaces: undefined }))
    return new SchedulerModel(this.rules, items, this.passed)
  }

  /** The oldest of the lowest class not above the newcomer's; tasks of the newcomer's own key before all others. */
  private victimOf({ owner, priority }: Schedulable): Item | undefined {
    const classes: Priority[] = priority === 'batch' ? ['batch'] : ['batch', 'interactive']
    for (const own of [true, false])
      for (const lowest of classes) {
        const victim = this.items.find(
          ({ task, state }) => state === 'queued' && task.priority === lowest && (!own || task.owner === owner),
        )
        if (victim !== undefined) return victim
      }
    return undefined
  }

  private drop(item: Item): void {
    this.items = this.items.filter((other) => other !== item)
  }
}

/** Whether it may be dispatched or taken out. */
const waits = ({ state }: Item): boolean => state === 'queued' || state === 'requeued'

/** Ids by deadline, then by id. */
export const inOrder = (tasks: readonly Schedulable[]): string[] =>
  [...tasks].sort((a, b) => a.deadline_at - b.deadline_at || (a.id < b.id ? -1 : 1)).map(({ id }) => id)

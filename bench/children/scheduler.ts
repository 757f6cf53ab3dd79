import { Scheduler, unplaced, type Schedulable } from '../../src/domain/queue/scheduler.ts'
import type { Cycles } from '../scheduler.ts'

// node --expose-gc scheduler.ts <row> <queued> <cycles>: one row of the bench, in a process of its own.
const [, , row = '', queuedArg, cyclesArg] = process.argv
const queued = Number(queuedArg)
const cycles = Number(cyclesArg)
const owners = Array.from({ length: 1000 }, (_, i) => `key-${i}`)

let made = 0
let state = 1
/** A pseudo-random number below `bound`: Lehmer, Park and Miller 1988. */
function random(bound: number): number {
  state = (state * 48271) % 2147483647
  return state % bound
}

function newTask(): Schedulable {
  const id = made++
  const owner = owners[id % owners.length] ?? ''
  return {
    id: `${owner}/task-${id}`,
    owner,
    priority: random(4) === 0 ? 'batch' : 'interactive',
    deadline_at: id + 600_000 + random(1_000_000),
    work_ms: 1 + random(60_000),
    ...unplaced,
  }
}

/** What every row does: a newcomer comes in and is told its place, the oldest task goes out. */
interface Queue {
  add(task: Schedulable): void
  cycle(task: Schedulable): void
}

let told = 0

function scheduler(full_policy: 'reject' | 'drop-lru', cancels: boolean): Queue {
  const queue = new Scheduler<Schedulable>({ capacity: queued + 1, full_policy, batch_every: 8 })
  /** The newest tasks, by number modulo their count. */
  const newest = new Array<Schedulable>(cancels ? queued : 0)
  let added = 0
  const add = (task: Schedulable): void => {
    queue.admit(task)
    queue.confirm(task)
    if (cancels) newest[added++ % queued] = task
  }
  return {
    add,
    cycle: (task) => {
      add(task)
      told += queue.ahead(task)?.position ?? 0
      if (cancels && added % 2 === 0 && queue.remove(newest[random(queued)] ?? task)) return
      if (queue.next() === undefined) throw new Error('nothing to dispatch')
    },
  }
}

/** The least there can be: two arrays, first in, first out; no place but the last is known, nothing can be taken out. */
function arrays(): Queue {
  const classes = { interactive: [] as Schedulable[], batch: [] as Schedulable[] }
  const heads = { interactive: 0, batch: 0 }
  let made = 0
  const add = (task: Schedulable): void => {
    classes[task.priority].push(task)
  }
  return {
    add,
    cycle: (task) => {
      add(task)
      told += classes[task.priority].length - heads[task.priority]
      const priority = made++ % 4 === 0 ? 'batch' : 'interactive'
      const queue = classes[priority]
      if (queue[heads[priority]++] === undefined) heads[priority]--
      if (heads[priority] * 2 <= queue.length) return
      queue.copyWithin(0, heads[priority])
      queue.length -= heads[priority]
      heads[priority] = 0
    },
  }
}

/** The textbook's queue: a binary heap of the same tasks by class and admission. It knows no place. */
function binaryHeap(): Queue {
  const keys: number[] = []
  const tasks: Schedulable[] = []
  let admitted = 0
  const add = (task: Schedulable): void => {
    const key = admitted++ + (task.priority === 'batch' ? queued : 0)
    let index = keys.length
    for (let above = (index - 1) >> 1; index > 0 && (keys[above] ?? 0) > key; above = (index - 1) >> 1) {
      keys[index] = keys[above] ?? 0
      tasks[index] = tasks[above] ?? task
      index = above
    }
    keys[index] = key
    tasks[index] = task
  }
  return {
    add,
    cycle: (task) => {
      add(task)
      const key = keys.pop() ?? 0
      const last = tasks.pop() ?? task
      let index = 0
      for (let left = 1; left < keys.length; left = 2 * index + 1) {
        const below = (keys[left + 1] ?? Infinity) < (keys[left] ?? Infinity) ? left + 1 : left
        const child = keys[below] ?? Infinity
        if (child >= key) break
        keys[index] = child
        tasks[index] = tasks[below] ?? task
        index = below
      }
      keys[index] = key
      tasks[index] = last
    },
  }
}

const rows: Readonly<Record<string, () => Queue>> = {
  scheduler: () => scheduler('reject', false),
  'scheduler, many canceled': () => scheduler('reject', true),
  'scheduler, drop-lru': () => scheduler('drop-lru', false),
  'two arrays': arrays,
  'binary heap': binaryHeap,
}

function bytes(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const tasks = Array.from({ length: queued }, newTask)
const queue = rows[row]?.()
if (queue === undefined) throw new Error(`no row ${row}`)
const before = bytes()
for (const task of tasks) queue.add(task)
const bytes_per_task = (bytes() - before) / queued
tasks.length = 0
for (let i = 0; i < 200_000; i++) queue.cycle(newTask())
// Newcomers are made in lots, outside of what is counted: what they cost, collecting them included, is no queue's doing.
const lot = 100_000
let micros = 0
for (let done = 0; done < cycles; done += lot) {
  const newcomers = Array.from({ length: lot }, newTask)
  const start = process.cpuUsage()
  for (const task of newcomers) queue.cycle(task)
  const { user, system } = process.cpuUsage(start)
  micros += user + system
}
const result: Cycles = { cycles_per_second: cycles / (micros / 1e6), bytes_per_task }
process.stdout.write(JSON.stringify(told < 0 ? undefined : result))

import assert from 'node:assert/strict'
import { Board } from '../../cli/top/board.ts'
import { newGate } from '../harness/gate.ts'
import type { Client } from '../../sdk/src/index.ts'

const pool = (pool_id: string): object => ({
  pool_id,
  engine: 'mock',
  model_ref: 'm',
  ready: true,
  live: true,
  slots: 1,
  slots_busy: 0,
  queue_depth: 0,
})
const entry = (task_id: string): object => ({ task_id, owner: 'ann', state: 'queued', priority: 'interactive', age_ms: 0 })

describe('the keys of top', () => {
  const signal = new AbortController().signal
  let tasks: string[]
  let asked: unknown[]
  let done: unknown[]
  let board: Board
  let answer: () => Promise<void>
  beforeEach(() => {
    tasks = ['a', 'b', 'c']
    asked = []
    done = []
    answer = () => Promise.resolve()
    const act =
      (what: string) =>
      (...given: unknown[]) => {
        done.push([what, ...given])
        return Promise.resolve()
      }
    const client = {
      pools: {
        list: () => Promise.resolve({ pools: ['one', 'two', 'three'].map(pool) }),
        queue: async (id: string, query: object) => {
          asked.push([id, query])
          const entries = tasks.map(entry)
          await answer()
          return { entries, next_cursor: 'more' }
        },
        drain: act('drain'),
        resume: act('resume'),
      },
      tasks: { cancel: act('cancel') },
    }
    board = new Board(client as unknown as Client, 'http://box')
  })

  const look = (): Promise<unknown> => board.refresh(60, signal)
  /** Presses keys one after the other, and does what they say. */
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await board.press(key)?.()
  }
  /** The task that is chosen. */
  const chosen = (): string | undefined => board.lines().flatMap((line) => /^(?:\x1b\[7m)?> +\S+ +(\S+) +ann /.exec(line)?.[1] ?? [])[0]

  it('choose a task, within the list, which stays chosen where it moves', async () => {
    await look()
    await press('up')
    assert.equal(chosen(), 'a')
    await press('down', 'down', 'down', 'down')
    assert.equal(chosen(), 'c')
    await press('up')
    assert.equal(chosen(), 'b')
    tasks = ['x', 'y', 'b']
    await look()
    await press('c', 'y')
    assert.deepEqual(done, [['cancel', 'b', { owner: 'ann' }]])
    tasks = ['z']
    await look()
    await press('c', 'y')
    assert.deepEqual(done[1], ['cancel', 'z', { owner: 'ann' }])
  })

  it('act only where they are confirmed', async () => {
    await look()
    for (const other of ['n', 'x', 'c', 'q']) await press('d', other)
    assert.deepEqual(done, [])
    await press('d', 'y', 'y')
    assert.deepEqual(done, [['drain', 'one', { deadline_ms: 60_000 }]])
    await press('r')
    assert.deepEqual(done[1], ['resume', 'one'])
  })

  it('turn pools in a circle, and pages on and back to the first', async () => {
    await look()
    for (const [key, id] of [
      ['left', 'three'],
      ['right', 'one'],
      ['right', 'two'],
    ] as const) {
      await press(key)
      await look()
      assert.equal((asked.at(-1) as unknown[])[0], id)
    }
    await press('p')
    await look()
    assert.deepEqual((asked.at(-1) as [string, object])[1], { limit: 50 })
    await press('down', 'n')
    await look()
    assert.deepEqual((asked.at(-1) as [string, object])[1], { limit: 50, cursor: 'more' })
    assert.match(board.lines().join('\n'), /page 2/)
    assert.equal(chosen(), 'a')
    await press('p')
    await look()
    assert.deepEqual((asked.at(-1) as [string, object])[1], { limit: 50 })
  })

  it('are not undone by a page that was asked for before', async () => {
    await look()
    const late = newGate()
    answer = () => late.promise
    const before = look()
    while (asked.length < 2) await Promise.resolve()
    await press('n')
    tasks = ['b']
    answer = () => Promise.resolve()
    await look()
    late.resolve()
    await before
    assert.deepEqual([chosen(), board.lines().filter((line) => line.includes(' ann ')).length], ['b', 1])
  })
})

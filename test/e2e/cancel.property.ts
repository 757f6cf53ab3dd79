import assert from 'node:assert/strict'
import type { Agent } from 'node:http'
import fc from 'fast-check'
import { keys, type TestDaemon } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'
import type { Write } from '../harness/write-order.ts'

/** When the cancel of a task is sent. */
export type Moment =
  | { readonly at: 'posted' | 'started' | 'running' | 'end' }
  /** After so many token frames were seen. */
  | { readonly at: 'token'; readonly seen: number }
  /** After so many turns of the event loop since the 202. */
  | { readonly at: 'turn'; readonly turns: number }

export interface Scenario {
  readonly max_tokens: number
  readonly priority: 'interactive' | 'batch'
  readonly seed: number
  /** Readers that are there before the cancel. */
  readonly readers: number
  /** Cancels sent at the same time. */
  readonly cancels: number
  readonly moment: Moment
}

/** A scenario; `last` is the most tokens a task may have. */
export const scenario = (last: number): fc.Arbitrary<Scenario> =>
  fc.integer({ min: 1, max: last }).chain((max_tokens) =>
    fc.record({
      max_tokens: fc.constant(max_tokens),
      priority: fc.constantFrom('interactive', 'batch'),
      seed: fc.nat(0xffff),
      readers: fc.integer({ min: 1, max: 3 }),
      cancels: fc.constantFrom(1, 1, 2, 3),
      moment: fc.oneof(
        fc.constantFrom<Moment>({ at: 'posted' }, { at: 'started' }, { at: 'running' }, { at: 'end' }, { at: 'token', seen: max_tokens }),
        fc.integer({ min: 1, max: max_tokens }).map((seen): Moment => ({ at: 'token', seen })),
        fc.integer({ min: 0, max: 200 }).map((turns): Moment => ({ at: 'turn', turns })),
      ),
    }),
  )

export type TaskOf = (given: Scenario) => Record<string, unknown> & { task_id: string }

/** Runs one task up to its moment, cancels it, and looks at what its readers got. Returns how it ended. */
export async function cancelAt(daemon: TestDaemon, given: Scenario, taskOf: TaskOf, agent: Agent): Promise<'canceled' | 'completed'> {
  const { url } = daemon
  const task = taskOf(given)
  const { task_id } = task
  await post(url, keys.data, task, agent)
  const readers =
    given.moment.at === 'posted'
      ? []
      : await Promise.all(Array.from({ length: given.readers }, () => StreamClient.open(url, task_id, keys.data)))
  await theMoment(daemon, task_id, given.moment, readers)
  const cancels = await Promise.all(
    Array.from({ length: given.cancels }, () => call(url, `/v1/tasks/${task_id}/cancel`, { method: 'POST', key: keys.data, agent })),
  )
  assert.deepEqual(
    cancels.map(({ status, text }) => [status, text]),
    cancels.map(() => [204, '']),
  )
  const late = await StreamClient.open(url, task_id, keys.data)
  await Promise.all([...readers, late].map(({ closed }) => closed))
  const state = (await call(url, `/v1/tasks/${task_id}`, { key: keys.data, agent })).json['state']
  assert.ok(state === 'canceled' || state === 'completed', String(state))
  const terminal = state === 'canceled' ? 'error' : 'end'
  for (const reader of [...readers, late]) {
    const events = reader.frames.map(({ event }) => event)
    assert.equal(events[0], 'started')
    assert.equal(events.at(-1), terminal)
    assert.equal(events.filter((event) => event === 'end' || event === 'error').length, 1)
    assert.deepEqual(
      reader.tokens.map(({ data }) => data?.['i']),
      reader.tokens.map((_, i) => i),
    )
    if (state === 'canceled') assert.equal(reader.terminal?.data?.['code'], 'CANCELED')
  }
  if (state === 'canceled')
    assert.deepEqual(
      late.frames.map(({ event }) => event).filter((event) => event !== 'metrics'),
      ['started', 'error'],
    )
  else assert.ok(readers.every(({ text }) => text === late.text))
  return state
}

async function theMoment(daemon: TestDaemon, task_id: string, moment: Moment, [reader]: readonly StreamClient[]): Promise<void> {
  // Where the end comes first, the cancel is one of a finished task.
  const seen = (fits: (client: StreamClient) => boolean): Promise<void> =>
    reader?.until((client) => fits(client) || client.terminal !== undefined) ?? Promise.resolve()
  switch (moment.at) {
    case 'posted':
      return
    case 'started':
      return seen(({ frames }) => frames.length > 0)
    case 'running':
      return until(() => daemon.live.of('data', task_id)?.phase !== 'queued')
    case 'end':
      return seen(() => false)
    case 'token':
      return seen(({ tokens }) => tokens.length >= moment.seen)
    case 'turn': {
      let turns = 0
      return until(() => turns++ >= moment.turns)
    }
  }
}

/** In the order the process wrote: every reader of a task had its terminal frame before any cancel of the task was answered, and no token after. */
export function checkOrder(writes: readonly Write[]): void {
  // Nothing is wrong with the replay of a task that had completed before it was canceled.
  const completed = new Set(writes.filter(({ text }) => /^event: end$/m.test(text)).map(({ path }) => taskIn(path)))
  const begun = new Map<string, Set<number>>()
  const answered = new Map<string, number>()
  let tokens = 0
  const ends = new Map<string, Map<number, number>>()
  for (const { order, path, response, status, text, last } of writes) {
    const task = taskIn(path)
    if (path.endsWith('/cancel') && last && status === 204 && !answered.has(task)) {
      answered.set(task, order)
      for (const one of begun.get(task) ?? [])
        assert.ok(ends.get(task)?.has(one), `the cancel of ${task} was answered before a reader stood on the terminal frame`)
    }
    if (!path.endsWith('/stream')) continue
    begun.set(task, (begun.get(task) ?? new Set()).add(response))
    const terminals = text.match(/^event: (end|error)$/gm)?.length ?? 0
    const of = ends.get(task) ?? new Map<number, number>()
    ends.set(task, of)
    if (/^event: token$/m.test(text)) {
      assert.ok(!of.has(response), `a token after the terminal frame of ${path}`)
      if (!completed.has(task)) assert.ok(!answered.has(task), `a token of ${path} was written after its cancel was answered`)
      tokens++
    }
    if (terminals === 0) continue
    assert.equal(terminals, 1)
    assert.ok(!of.has(response), `a second terminal frame on ${path}`)
    of.set(response, order)
  }
  assert.ok(tokens > 0 && answered.size > 0, 'nothing was recorded')
}

const taskIn = (path: string): string => path.split('/')[3] ?? ''

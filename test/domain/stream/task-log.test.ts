import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TaskLog } from '../../../src/domain/stream/task-log.ts'
import { repeats } from '../../harness/long.ts'
import type { FrameSource } from '../../../src/domain/stream/frame-source.ts'
import { formatMark } from '../../../src/doors/native/event-id.ts'
import type { Frame } from '../../../cli/contract/frame.ts'
import {
  canceled,
  drain,
  ended,
  failed,
  framesOf,
  kindsOf,
  markOf,
  metrics,
  part,
  readerOf,
  started,
  textOf,
  tokenText,
} from './task-log.kit.ts'

interface Follower {
  readonly reader: FrameSource
  /** Text before its resume point; undefined where it started at `started`. */
  readonly from: string | undefined
  wire: string
  wakes: number
}

const step = fc.record({
  name: fc.constantFrom('append', 'append', 'append', 'report', 'open', 'resume', 'take', 'take', 'take'),
  text: tokenText,
  pick: fc.nat(9999),
  max_chars: fc.constantFrom(1, 50, 200, 1 << 18),
})

/** Started, tokens in order with the right ids, only newer and newer metrics, one terminal frame. */
function checkWhole(frames: readonly Frame[], follower: Follower, text: string, reports: number): void {
  const opening = follower.from === undefined ? 'started ' : ''
  assert.match(`${kindsOf(frames)} `, new RegExp(`^${opening}((token|metrics) )*metrics end $`))
  assert.equal((follower.from ?? '') + textOf(frames), text)
  let sofar = follower.from ?? ''
  let index: number | undefined
  for (const { id, event, data } of frames) {
    if (event !== 'token') continue
    sofar += String(data?.['t'])
    assert.equal(id, formatMark(markOf(sofar)))
    if (index !== undefined) assert.equal(data?.['i'], index + 1)
    index = Number(data?.['i'])
  }
  const seen = frames.flatMap(({ event, data }) => (event === 'metrics' ? [Number(data?.['queue_depth'])] : []))
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
  )
  assert.equal(seen.at(-1), reports)
}

describe('task log', () => {
  it('gives every reader everything, in order, at any pace and from any point', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const log = new TaskLog(started)
        const followers: Follower[] = []
        const tokens: string[] = []
        let reports = 0
        const follow = (from: string | undefined): void => {
          const reader = readerOf(log, from === undefined ? { kind: 'start' } : { kind: 'after', mark: markOf(from) })
          const follower: Follower = { reader, from, wire: '', wakes: 0 }
          reader.onReadable(() => {
            follower.wakes++
          })
          followers.push(follower)
        }
        for (const { name, text, pick, max_chars } of steps) {
          const before = followers.map(({ wakes }) => wakes)
          if (name === 'append') {
            log.append(part(text))
            tokens.push(text)
          } else if (name === 'report') log.report(metrics(++reports))
          else if (name === 'open') follow(undefined)
          else if (name === 'resume') {
            const points = Array.from(tokens.join(''))
            follow(points.slice(0, pick % (points.length + 1)).join(''))
          } else {
            const one = followers[pick % Math.max(1, followers.length)]
            if (one === undefined) continue
            const wire = one.reader.take(max_chars)
            if (max_chars === 1) assert.ok(framesOf(wire).filter(({ event }) => event === 'token').length <= 1, 'more than was asked for')
            one.wire += wire
          }
          if (name === 'append' || name === 'report')
            assert.deepEqual(
              followers.map(({ wakes }) => wakes).slice(0, before.length),
              before.map((wakes) => wakes + 1),
            )
          assert.equal(log.partCount, tokens.length)
          assert.equal(log.text, tokens.join(''))
          assert.equal(log.hasReaders, followers.length > 0)
        }
        log.report(metrics(++reports))
        const stored = log.stored(ended, false)
        log.seal(ended)
        follow(undefined)
        for (const follower of followers) {
          assert.equal(follower.reader.done, false)
          const frames = [...framesOf(follower.wire), ...drain(follower.reader, 100)]
          assert.equal(follower.reader.done, true)
          assert.equal(follower.reader.take(100), '')
          checkWhole(frames, follower, tokens.join(''), reports)
          follower.reader.close()
        }
        assert.equal(log.hasReaders, false)
        const late = TaskLog.restore(stored)
        assert.deepEqual(drain(readerOf(late, { kind: 'start' })), drain(readerOf(log, { kind: 'start' })))
        assert.equal(late.text, log.text)
        assert.deepEqual([...late.allParts()], [...log.allParts()])
        assert.deepEqual(late.stored(ended, false), stored)
      }),
      { numRuns: repeats({ quick: 120, long: 600 }) },
    )
  })

  it('sends the newest metrics only, after the tokens and before the terminal frame', () => {
    const log = new TaskLog(started)
    const reader = readerOf(log, { kind: 'start' })
    log.append(part('a'))
    log.report(metrics(1))
    log.report(metrics(2))
    const frames = drain(reader)
    assert.equal(kindsOf(frames), 'started token metrics')
    assert.equal(frames[2]?.data?.['queue_depth'], 2)
    assert.equal(reader.take(1000), '')
    log.seal(failed)
    log.report(metrics(3))
    assert.equal(kindsOf(drain(reader)), 'error')
    assert.equal(kindsOf(drain(readerOf(log, { kind: 'after_started' }))), 'token metrics error')
  })

  it('takes no token once frozen, but gives out those it has', () => {
    const log = new TaskLog(started)
    const reader = readerOf(log, { kind: 'start' })
    log.append(part('a'))
    log.freeze(false)
    log.append(part('b'))
    assert.equal(log.text, 'a')
    assert.equal(textOf(drain(reader)), 'a')
    log.seal(ended)
    log.append(part('c'))
    log.seal(failed)
    assert.equal(kindsOf(drain(reader)), 'end')
    assert.equal(log.text, 'a')
  })

  it('silences readers that are behind when muted, and drops what they have not taken', () => {
    fc.assert(
      fc.property(fc.array(tokenText, { minLength: 1, maxLength: 20 }), fc.nat(20), fc.boolean(), (tokens, taken, reported) => {
        const log = new TaskLog(started)
        const fast = readerOf(log, { kind: 'start' })
        const slow = readerOf(log, { kind: 'start' })
        const beyond = readerOf(log, { kind: 'after', mark: { bytes: 1e6, hash: 1 } })
        for (const token of tokens) log.append(part(token))
        const early = Array.from({ length: taken }, () => slow.take(1)).join('')
        const whole = drain(fast)
        let wakes = 0
        slow.onReadable(() => {
          wakes++
        })
        log.freeze(true)
        if (reported) log.report(metrics(1))
        const unseen = readerOf(log, { kind: 'start' })
        for (const reader of [fast, slow, beyond, unseen]) assert.equal(reader.take(1 << 20), '')
        assert.equal(wakes, 0)
        const stored = log.stored(canceled, true)
        log.seal(canceled, true)
        assert.equal(wakes, 1)
        const tail = reported ? 'metrics error' : 'error'
        assert.equal(kindsOf(drain(fast)), tail)
        assert.equal(kindsOf(drain(slow)), taken === 0 ? `started ${tail}` : tail)
        assert.equal(textOf(whole).startsWith(textOf(framesOf(early))), true)
        for (const log_ of [log, TaskLog.restore(stored)]) {
          assert.equal(kindsOf(drain(readerOf(log_, { kind: 'start' }))), `started ${tail}`)
          assert.equal(kindsOf(drain(readerOf(log_, { kind: 'after', mark: markOf(tokens.join('')) }))), tail)
        }
        assert.equal(kindsOf(drain(beyond)), tail)
        assert.equal(kindsOf(drain(unseen)), `started ${tail}`)
      }),
      { numRuns: 300 },
    )
  })

  it('goes on as if nothing had been when it is thawed', () => {
    const log = new TaskLog(started)
    const reader = readerOf(log, { kind: 'start' })
    assert.equal(kindsOf(drain(reader)), 'started')
    let wakes = 0
    reader.onReadable(() => {
      wakes++
    })
    log.freeze(true)
    log.report(metrics(1))
    log.thaw()
    assert.equal(wakes, 1)
    log.append(part('a'))
    assert.equal(kindsOf(drain(reader)), 'token metrics')
  })

  it('does not wake a reader that was closed', () => {
    const log = new TaskLog(started)
    const reader = readerOf(log, { kind: 'start' })
    reader.onReadable(() => assert.fail('woken'))
    reader.close()
    reader.close()
    log.append(part('a'))
    assert.equal(log.hasReaders, false)
  })
})

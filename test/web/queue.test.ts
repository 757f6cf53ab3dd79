import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FeedDaemon, FeedPool, FeedReplica, Task } from '../../web/src/live/types.ts'
import { samplesOf, samplesWith, summed, highest } from '../../web/src/live/samples.ts'
import { alarmsOf, restartWords } from '../../web/src/queue/attention.ts'
import { itemsOf } from '../../web/src/queue/items.ts'
import { Passing, rest_ms } from '../../web/src/queue/passing.ts'
import { ordinal, poolState, sendingLine, slotName } from '../../web/src/queue/words.ts'
import { transcriptText } from '../../web/src/task/transcript-text.ts'
import { timelineOf } from '../../web/src/task/timeline.ts'

const replica = (fields: Partial<FeedReplica>): FeedReplica => ({
  ...{ replica_id: 'a', state: 'ready', slots: 2, busy: 0, devices: [], breaker: 'closed', restarts: 0 },
  ...fields,
})
const pool = (fields: Partial<FeedPool>): FeedPool => ({
  ...{ pool_id: 'coder', engine: 'vllm', model: 'm', state: 'ready', slots: 2, busy: 0, running: 0, tokens_per_s: 0 },
  ...{ waiting: { interactive: 0, batch: 0 }, replicas: [replica({})] },
  ...fields,
})
const at = { at: () => 1000, all: true }

describe('a list that is scrolled', () => {
  it('is passed by where it leaps again and again, and not by one leap, nor by small steps', () => {
    const passing = new Passing()
    const seen = [
      ['a page down', 36, 1000, false],
      ['and another after a while', 72, 2000, false],
      ['a leap right after it', 104, 2000 + rest_ms, true],
      ['a third', 136, 2000 + 2 * rest_ms, true],
      ['nothing more', 136, 2000 + 3 * rest_ms, false],
      ['a small step', 140, 2000 + 3 * rest_ms, false],
      ['back, later', 40, 9000, false],
      ['back again', 4, 9001, true],
    ] as const
    for (const [what, from, now, passes] of seen) assert.equal(passing.moved(from, 36, now), passes, what)
  })
})

describe('what needs attention', () => {
  it('is nothing while all is well, and while a pool sleeps as it should', () => {
    assert.deepEqual(alarmsOf([pool({}), pool({ state: 'asleep', replicas: [replica({ state: 'stopped' })] })], [], undefined, [], at), [])
  })

  it('is at most five things, the worst first', () => {
    const down = Array.from({ length: 4 }, (_, i) => pool({ pool_id: `p${i}`, state: 'down' }))
    const late = [
      { pool_id: 'coder', key_name: 'webapp' },
      { pool_id: 'coder', key_name: 'webapp' },
    ]
    const daemon = { stopping: false, config: { loaded_at: '', refused: 'no' } } as unknown as FeedDaemon
    const alarms = alarmsOf([pool({ state: 'draining' }), ...down], [{ index: 0, fault: 'hot', used_by: [] }], daemon, late, at)
    assert.deepEqual(
      alarms.map(({ what }) => what),
      ['p0 is down', 'p1 is down', 'p2 is down', 'p3 is down', 'GPU 0 is in trouble'],
    )
  })

  it('tells of a replica why it is down, when it is tried again, and what is missing', () => {
    const b = replica({ replica_id: 'b', state: 'down', last_error: 'CUDA error', restarts: 2, restart_in_ms: 500 })
    const [alarm] = alarmsOf([pool({ state: 'partial', replicas: [replica({}), b] })], [], undefined, [], at)
    assert.equal(
      `${alarm?.what}${alarm?.how}#${alarm?.after}`,
      'coder/b is down: CUDA error. Next restart in # (2 so far); 2 of 4 slots of coder are missing.',
    )
    assert.equal(alarm?.again_at, 1500)
  })

  it('names whose tasks will be late only to who may know', () => {
    const late = [{ pool_id: 'coder', key_name: 'webapp' }]
    const told = (all: boolean) => alarmsOf([], [], undefined, late, { ...at, all })[0]?.how
    assert.deepEqual([told(true), told(false)], [' in coder, of webapp.', ' in coder.'])
  })

  it('tells what a restart would do in words that fit the numbers', () => {
    const restart = { waiting_kept: 1, running_continue: 2, running_rerun: 1, running_lost: 1, lost: [] }
    assert.deepEqual(restartWords(restart), { kept: '1 waiting is kept.', on: '2 go on', rerun: '1 runs again', lost: '1 is lost' })
    const none = { waiting_kept: 0, running_continue: 0, running_rerun: 0, running_lost: 0, lost: [] }
    assert.deepEqual(restartWords(none), { kept: 'Nothing waits.', on: '', rerun: '', lost: '' })
  })
})

describe('words of the queue', () => {
  it('are a line for a shell, whatever the model is called', () => {
    const bodyOf = (model?: string): unknown => {
      const [, quoted = ''] = / -d '(.*)'$/.exec(sendingLine('http://127.0.0.1:8080', model)) ?? []
      return JSON.parse(quoted.replaceAll(String.raw`'\''`, "'"))
    }
    assert.deepEqual(bodyOf(), { prompt: 'Once upon a time' })
    for (const model_ref of ['mock:v1', "it's", '"quoted"']) assert.deepEqual(bodyOf(model_ref), { model_ref, prompt: 'Once upon a time' })
    assert.ok(sendingLine('http://a', "it's").includes(String.raw`it'\''s`))
  })

  it('count what is loaded between two words of the daemon, and never say that it is done', () => {
    const loading = pool({ state: 'loading', replicas: [replica({ loading: { elapsed_ms: 1000, expected_ms: 4000 } })] })
    assert.deepEqual(
      [0, 1000, 9000].map((since) => poolState(loading, since).word),
      ['loading 25 %', 'loading 50 %', 'loading 99 %'],
    )
  })

  it('have a sign for every state, one of a newer daemon included', () => {
    for (const state of ['ready', 'partial', 'loading', 'asleep', 'draining', 'down', 'frozen'])
      assert.match(poolState(pool({ state }), 0).sign, /^\S$/)
  })

  it('name the place of a running task', () => {
    const two = pool({ replicas: [replica({}), replica({ replica_id: 'r1' })] })
    assert.deepEqual([slotName(pool({}), 'a', 1), slotName(two, 'a', 0), slotName(two, 'r1', 2)], ['2', 'a1', 'r1/3'])
    assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal), ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '112th'])
  })
})

describe('places in a queue', () => {
  it('count those that may not be known', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -9, max: -1 })), { maxLength: 20 }), (first) => {
        const items = itemsOf({ pool_id: 'p', total: 0, first }, () => undefined)
        // No row is known here: what is left are the others, each at its place.
        let place = 0
        const expected = first.flatMap((h) => {
          const here = place
          place += h < 0 ? -h : 1
          return h < 0 ? [[here, -h]] : []
        })
        assert.deepEqual(
          items.map((item) => [item.place, item.count]),
          expected,
        )
      }),
    )
  })
})

describe('the last hour', () => {
  const series = (pool_id: string, values: number[]) => ({
    ...{ pool_id, waiting: values, running: values, tokens_out: values, refused: values, late: values },
    ...{ first_token_median_ms: values.map((n) => (n === 0 ? null : n)), first_token_p95_ms: values.map(() => null) },
  })
  const hour = samplesOf({ every_ms: 5000, at: '2026-01-01T00:00:00.000Z', pools: [series('a', [1, 0, 3]), series('b', [5])] })

  it('is of all pools together, the newest last', () => {
    assert.deepEqual(
      summed(hour, ({ waiting }) => waiting),
      [1, 0, 8],
    )
    assert.deepEqual(
      highest(hour, ({ first_token_median_ms }) => first_token_median_ms),
      [1, null, 5],
    )
    assert.deepEqual(
      summed(samplesOf({ every_ms: 5000, pools: [] }), ({ waiting }) => waiting),
      [],
    )
  })

  it('gets a value more, of which the oldest makes room', () => {
    let samples = hour
    const point = { pool_id: 'a', waiting: 7, running: 0, tokens_out: 0, refused: 0, late: 0 }
    for (let i = 0; i < 800; i++) samples = samplesWith(samples, { at: '2026-01-01T01:00:00.000Z', points: [point] })
    assert.equal(samples.pools.get('a')?.waiting.length, 720)
    assert.equal(samples.pools.get('b')?.waiting.length, 1)
  })
})

describe('a transcript as text', () => {
  it('has what was asked, thought, called and answered, in order', () => {
    const parts = [
      { kind: 'reasoning', text: 'Hm' },
      { kind: 'reasoning', text: '.' },
      { kind: 'tool_call', name: 'ls', text: '{}' },
      { kind: 'text', text: 'Done' },
    ]
    const request = { messages: [{ role: 'user', content: 'Look' }], max_tokens: 5 }
    assert.equal(
      transcriptText(JSON.stringify({ request, parts, text: 'Done', seed: 7, error: { code: 'CANCELED' } })),
      '== user\nLook\n\n== Asked with\nmax_tokens: 5\n\n== Reasoning\nHm.\n\n== Call\nls {}\n\n== Answer\nDone\n\n== Error\n{\n "code": "CANCELED"\n}\n\n== Facts\nseed: 7',
    )
  })

  it('is what it is where it is none', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (content) => assert.equal(typeof transcriptText(content), 'string')))
    assert.deepEqual(['no JSON', '[1]', '{"a":1}'].map(transcriptText), ['no JSON', '[1]', '{"a":1}'])
  })
})

describe('the timeline of a task', () => {
  const accepted = Date.parse('2026-01-01T00:00:00.000Z')
  const time = (ms: number): string => new Date(accepted + ms).toISOString()
  const task = {
    accepted_at: time(0),
    phases: [
      { phase: 'queued', attempt: 1, pool_id: 'p', from_ms: 0, to_ms: 1000 },
      { phase: 'decoding', attempt: 1, pool_id: 'p', replica_id: 'a', from_ms: 1000, to_ms: 3000 },
      { phase: 'queued', attempt: 2, pool_id: 'p', from_ms: 3000 },
    ],
    attempts: [{ n: 1, replica_id: 'a', started_at: time(1000), ended_at: time(3000), code: 'WORKER_RESET', message: 'it died' }],
  } as unknown as Task

  it('has a track a run, what broke it, and what is predicted', () => {
    const { tracks, length_ms, now } = timelineOf(task, accepted + 4000, accepted + 8000)
    assert.equal(length_ms, 8000 * 1.15)
    assert.deepEqual(
      tracks.map(({ words, broke }) => [words, broke?.why]),
      [
        ['queued 0:01, decode 0:02', 'it died'],
        ['queued 0:01', undefined],
      ],
    )
    assert.equal(now, 4000 / length_ms)
    assert.deepEqual(
      tracks[1]?.segments.map(({ kind }) => kind),
      ['queued', 'predicted'],
    )
    for (const { segments } of tracks) for (const { left, width } of segments) assert.ok(left >= 0 && left + width <= 1.000001)
  })

  it('ends where the task ended', () => {
    const { now, length_ms } = timelineOf({ ...task, finished_at: time(5000) }, accepted + 900_000, undefined)
    assert.deepEqual([now, length_ms], [undefined, 5000])
  })
})

import assert from 'node:assert/strict'
import { keys, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { readStream } from '../harness/sse.ts'

interface Told {
  readonly text: string
  readonly replica_id: unknown
}

describe('a conversation with an embedded engine of two replicas', () => {
  let daemon: TestDaemon
  before(async () => {
    const replicas = [
      { id: 'r0', slots: 1 },
      { id: 'r1', slots: 1 },
    ]
    daemon = await startDaemon({ pools: [talesPool({ replicas })] })
  })
  after(() => daemon.stop())

  /** A turn, told to its end. */
  async function turn(session_id: string, prompt: string): Promise<Told> {
    const { json } = await post(daemon.url, keys.data, { session_id, prompt, kv_hint: 'reuse', seed: 7, max_tokens: 20 })
    const stream = await readStream(daemon.url, String(json['task_id']), keys.data)
    const text = stream.frames.flatMap(({ event, data }) => (event === 'token' ? [String(data?.['t'])] : [])).join('')
    const end = stream.frames.find(({ event }) => event === 'end')?.data
    return { text, replica_id: end?.['replica_id'] }
  }
  const warm = async (session_id: string): Promise<unknown> =>
    (await call(daemon.url, `/v1/sessions/${session_id}`, { key: keys.data })).json['kv_warmth']

  it('comes back to its replica and finds its cache there, turn after turn', async () => {
    const beginnings = ['Once upon a time there was a fox.', 'One day a small owl flew home.']
    const [first] = daemon.pools.get('tales').replicas
    first?.acquire()
    const owl = await turn('s1', beginnings[1] ?? '')
    first?.release()
    const stories = [await turn('s0', beginnings[0] ?? ''), owl]
    assert.deepEqual(
      stories.map(({ replica_id }) => replica_id),
      ['r0', 'r1'],
    )
    const so_far = stories.map(({ text }, i) => `${beginnings[i] ?? ''}${text}`)
    // One after the other, while both are idle: only where they were makes the difference.
    for (let round = 0; round < 3; round++)
      for (const i of [1, 0]) {
        const { text, replica_id } = await turn(`s${i}`, so_far[i] ?? '')
        so_far[i] = `${so_far[i] ?? ''}${text}`
        assert.equal(replica_id, stories[i]?.replica_id, `round ${round} of s${i}`)
        assert.equal(await warm(`s${i}`), true)
      }
  })
})

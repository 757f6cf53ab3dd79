import assert from 'node:assert/strict'
import { feedProblems } from '../../cli/contract/feed.ts'
import { eventsOf, mismatch } from '../harness/contract.ts'
import { keyDigest, mockPool, mockTask, startDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'

describe('a key that watches among 20', () => {
  const names = Array.from({ length: 20 }, (_, n) => `owner-${String(n).padStart(2, '0')}`)
  const keyOf = (name: string): string => `key-of-${name}`
  const auth = {
    keys: [
      ...names.map((name) => ({ name, key_sha256: keyDigest(keyOf(name)), roles: ['data'] })),
      { name: 'boss', key_sha256: keyDigest('key-of-boss'), roles: ['data', 'control'] },
    ],
  }
  const idsOf = (name: string): string[] => [0, 1, 2].map((n) => `task-${n}-of-${name}`)
  const secret = 'nobody-may-read-this'

  it('never gets an id, a session or a name of another by the feed, a panel, a listing or an error, and nobody a word of a text', async () => {
    const clock = new FakeClock()
    const daemon = await startDaemon(
      {
        auth,
        pools: [
          mockPool({
            mock: { prefill_ms: 0, token_ms: 60_000, tokens: 8 },
            replicas: [{ id: 'r0', slots: 2 }],
            queue: { capacity: 50, full_policy: 'drop-lru' },
          }),
        ],
      },
      { clock },
    )
    const named = `?tasks=${names
      .slice(0, 16)
      .map((name) => idsOf(name)[2]!)
      .join()}`
    const watching = new Map<string, StreamClient>()
    for (const name of [...names, 'boss']) watching.set(name, await StreamClient.events(daemon.url, keyOf(name), named))
    for (const name of names)
      for (const [n, task_id] of idsOf(name).entries()) {
        const fields = {
          task_id,
          session_id: `session-of-${name}`,
          prompt: `${secret} ${task_id}`,
          metadata: { secret: `${secret} ${task_id}` },
        }
        await call(daemon.url, '/v1/tasks', {
          method: 'POST',
          key: keyOf(name),
          body: mockTask({ ...fields, priority: n === 1 ? 'batch' : 'interactive' }),
        })
        await clock.advance(50)
      }
    for (const name of names.slice(5, 10))
      await call(daemon.url, `/v1/tasks/${idsOf(name)[1]!}/cancel`, { method: 'POST', key: keyOf(name) })
    await clock.advance(1000)
    const later = await StreamClient.events(daemon.url, keyOf(names[3]!), named)
    await later.until(({ frames }) => frames.length > 0)
    watching.set(names[3]!, later)
    await clock.advance(120_000)
    for (const [name, client] of watching) {
      await client.until(({ raw }) => raw.includes('"event') || raw.includes('session-of-') || name === 'boss')
      assert.doesNotMatch(client.raw, new RegExp(secret), name)
      const others = names.filter((other) => other !== name)
      const found = others.filter((other) => client.raw.includes(other))
      if (name === 'boss') assert.deepEqual(found, names)
      else {
        assert.deepEqual(found, [], `${name} learns of others`)
        assert.match(client.raw, new RegExp(`task-0-of-${name}`))
      }
      assert.deepEqual(feedProblems(client.raw, eventsOf('streamEvents'), mismatch, false), [], name)
      client.response.destroy()
    }
    for (const name of names) await asksAll(daemon.url, name)
    await daemon.stop()
  })

  /** All that a key may ask, its own tasks' panels and whatever it may try of another's. Nothing of it may have a word of others. */
  async function asksAll(url: string, name: string): Promise<void> {
    const key = keyOf(name)
    const others = names.filter((other) => other !== name)
    const found = (text: string): string[] => others.filter((other) => text.includes(other))
    const own = idsOf(name).map((id) => `/v1/tasks/${id}`)
    const lists = [
      '/v1/tasks',
      '/v1/tasks?state=canceled',
      '/v1/tasks?state=queued',
      '/v1/sessions',
      '/v1/usage',
      '/v1/pools',
      '/v1/pools/mock',
    ]
    const general = ['/v1/capabilities', '/v1/catalog/models', '/v1/pools/mock/queue?limit=200', '/v1/config', '/metrics', '/health']
    for (const path of [...own, ...lists, ...general]) {
      const { status, text } = await call(url, path, { key })
      assert.deepEqual(found(text), [], `${name} learns of others by ${path}`)
      if (own.includes(path)) assert.equal(status, 200, `${path}: ${text}`)
    }
    const [other = ''] = others
    const nobody = 'nobody-at-all'
    const tries = (id: string, session: string, owner: string): readonly (readonly [string, string])[] => [
      ['GET', `/v1/tasks/${id}`],
      ['GET', `/v1/tasks/${id}?owner=${owner}`],
      ['GET', `/v1/tasks/${id}/stream`],
      ['POST', `/v1/tasks/${id}/cancel`],
      ['GET', `/v1/tasks?owner=${owner}`],
      ['GET', `/v1/tasks?session_id=${session}`],
      ['GET', `/v1/pools/mock/queue?owner=${owner}`],
      ['GET', `/v1/pools/mock/queue?session_id=${session}`],
      ['GET', `/v1/sessions/${session}`],
      ['DELETE', `/v1/sessions/${session}`],
    ]
    const unknown = tries(nobody, nobody, nobody)
    // What is another's is answered as what is nobody's.
    for (const [i, [method, path]] of tries(idsOf(other)[0]!, `session-of-${other}`, other).entries()) {
      const ask = async (asked: string): Promise<string> => {
        const { status, text } = await call(url, asked, { method, key })
        const plain = [idsOf(other)[0]!, `session-of-${other}`, other].reduce((told, word) => told.replaceAll(word, nobody), text)
        return `${status} ${plain.replace(/"(correlation_id|age_ms)":("[^"]*"|\d+)/g, '')}`
      }
      assert.equal(await ask(path), await ask(unknown[i]![1]), `${method} ${path}`)
    }
  }
})

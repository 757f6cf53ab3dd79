import { get } from 'node:http'
import { keys } from '../harness/daemon.ts'
import { casesOf, type Ask, type Case } from './case.ts'
import type { World } from './world.ts'

/** Cases of who watches what the daemon does. */
export const feed: readonly Case[] = [
  ...casesOf(
    'streamEvents',
    {
      status: 200,
      what: 'all there is to see',
      names: /"role":"control".*"key_name":"data".*"waits":{"code"/,
      world: 'reject',
      ask: { key: keys.all },
    },
    {
      status: 200,
      what: "its own, and others' places",
      names: /"role":"data","key_name":"other".*"rows":\[\].*"first":\[\]/,
      world: 'reject',
      ask: { key: keys.other },
    },
    {
      status: 200,
      what: 'some pools and some tasks',
      names: /"order":\[{"pool_id":"mock"/,
      ask: { query: { pools: 'mock', rows: '3', tasks: 'a,b' } },
    },
    { status: 200, what: 'no rows', names: /"first":\[\]/, world: 'reject', ask: { key: keys.all, query: { rows: '0' } } },
    {
      status: 200,
      what: 'after an event of an earlier life',
      names: /^id: [0-9a-f]{16}-[0-9]+\nevent: snapshot/,
      ask: { headers: { 'Last-Event-ID': '0000000000000000-5' } },
    },
    { status: 400, what: 'a Last-Event-ID that is none', names: /last-event-id/, ask: { headers: { 'Last-Event-ID': 'end' } } },
    { status: 400, what: 'more rows than may be', names: /rows/, ask: { query: { rows: '101' } } },
    { status: 400, what: 'a list with a gap', names: /pools/, ask: { query: { pools: 'mock,,one' } } },
    { status: 404, what: 'a pool that is not', names: /No such pool/, ask: { query: { pools: 'mock,nowhere' } } },
    { status: 429, what: 'one reader too many', names: /8 times/, policy: 'rate-limit', ask: watching },
  ),
]

/** The key watches as often as it may. */
async function watching({ daemon }: World): Promise<Ask> {
  const key = 'waiter'
  const opened = Array.from(
    { length: 8 },
    () =>
      new Promise<void>((resolve, reject) => {
        const headers = { 'X-API-Key': key }
        get(`${daemon.url}/v1/events`, { headers, agent: false }, (response) => {
          response.on('error', () => undefined)
          response.once('data', () => resolve())
        }).on('error', reject)
      }),
  )
  await Promise.all(opened)
  return { key }
}

import { load } from './load.ts'
import { atLeast, median, rounded, type Section } from './section.ts'
import { startServer } from './server.ts'

const servers = ['daemon', 'echo', 'raw'] as const
const rounds = 5
const requests = 4000
const connections = 32

const body = (round: string, n: number): string =>
  JSON.stringify({
    task_id: `${round}-${n}`,
    session_id: `${round}-${n >> 2}`,
    workload: 'completion',
    model_ref: 'mock:v1',
    engine: 'mock',
    ctx: 8192,
    priority: n % 4 === 0 ? 'batch' : 'interactive',
    seed: n,
    messages: [{ role: 'user', content: 'Tell me a story about a fox that crosses a river at night and meets an otter on the other side.' }],
    max_tokens: 256,
    deadline_ms: 86_400_000,
  })

/**
 * Admits tasks to the daemon, durably on disk, and sends the same requests to a bare express + openapi-backend echo and to raw node:http
 * with a precompiled ajv validator. The servers take turns, round by round, so that a machine whose speed drifts is fair to all.
 */
export async function benchAdmission(): Promise<Section> {
  const running = await Promise.all(servers.map(startServer))
  const rates: number[][] = servers.map(() => [])
  const costs: number[][] = servers.map(() => [])
  try {
    // Round -1 warms up and is not counted.
    for (let round = -1; round < rounds; round++) {
      for (const [i, server] of running.entries()) {
        const before = await server.cpuMicros()
        const headers = 'X-API-Key: valid\r\n'
        const result = await load(server.port, '/v1/tasks', headers, (n) => body(`r${round + 1}`, n), requests, connections)
        const cpu = (await server.cpuMicros()) - before
        if (result.statuses.get(202) !== requests) throw new Error(`${servers[i] ?? ''}: ${JSON.stringify([...result.statuses])}`)
        if (round < 0) continue
        rates[i]?.push(requests / result.seconds)
        costs[i]?.push(cpu / requests)
      }
    }
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
  const cost = (i: number): number => median(costs[i] ?? [])
  const rate = (i: number): number => median(rates[i] ?? [])
  return {
    title: `Admission: POST /v1/tasks, durable on disk, ${connections} connections; medians of ${rounds} rounds in turn, beside an express + openapi-backend echo of the same contract and raw node:http with precompiled ajv`,
    rows: servers.map((server, i) => ({ server, requests_per_second: Math.round(rate(i)), cpu_us_per_request: rounded(cost(i)) })),
    goals: [atLeast('requests a second, daemon to echo', rate(0) / rate(1), 1), atLeast('requests a second, daemon to raw', rate(0) / rate(2), 0.35)],
  }
}

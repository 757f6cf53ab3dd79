import { load } from './load.ts'
import { atLeast, median, rounded, type Section } from './section.ts'
import { startServer } from './server.ts'

const servers = ['daemon', 'echo', 'raw'] as const
/** What is measured, in turn: the server, the model that is asked for, and the answer. */
const lanes = [
  { name: 'daemon', server: 0, model: 'v1', status: 202 },
  { name: 'daemon, queue full', server: 0, model: 'full', status: 429 },
  { name: 'echo', server: 1, model: 'v1', status: 202 },
  { name: 'raw', server: 2, model: 'v1', status: 202 },
] as const
const rounds = 5
const requests = 4000
const connections = 32

const body = (model: string, round: number, n: number): string =>
  JSON.stringify({
    task_id: `${model}-${round}-${n}`,
    session_id: `${model}-${round}-${n >> 2}`,
    workload: 'completion',
    model_ref: `mock:${model}`,
    engine: 'mock',
    ctx: 8192,
    priority: n % 4 === 0 ? 'batch' : 'interactive',
    seed: n,
    messages: [
      { role: 'user', content: 'Tell me a story about a fox that crosses a river at night and meets an otter on the other side.' },
    ],
    max_tokens: 256,
    deadline_ms: 86_400_000,
  })

/**
 * Admits tasks to the daemon, durably on disk, has it refuse others because their queue is full, and sends the same requests to a bare
 * express + openapi-backend echo and to raw node:http with a precompiled ajv validator. All take turns, round by round, so that a machine
 * whose speed drifts is fair to them.
 */
export async function benchAdmission(): Promise<Section> {
  const running = await Promise.all(servers.map((name) => startServer(name)))
  const rates: number[][] = lanes.map(() => [])
  const costs: number[][] = lanes.map(() => [])
  try {
    // Round -1 warms up and is not counted.
    for (let round = -1; round < rounds; round++) {
      for (const [i, { name, server: index, model, status }] of lanes.entries()) {
        const server = running[index]
        if (server === undefined) throw new Error(`${name} has no server`)
        const before = await server.cpuMicros()
        const headers = 'X-API-Key: valid\r\n'
        const result = await load(server.port, '/v1/tasks', headers, (n) => body(model, round, n), requests, connections)
        const cpu = (await server.cpuMicros()) - before
        // The first tasks of a queue that is to be full are taken.
        if (round < 0) continue
        if (result.statuses.get(status) !== requests) throw new Error(`${name}: ${JSON.stringify([...result.statuses])}`)
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
    rows: lanes.map(({ name, status }, i) => ({
      server: name,
      status,
      requests_per_second: Math.round(rate(i)),
      cpu_us_per_request: rounded(cost(i)),
    })),
    goals: [
      atLeast('requests a second, daemon to echo', rate(0) / rate(2), 1),
      atLeast('requests a second, daemon to raw', rate(0) / rate(3), 0.35),
      atLeast('requests a second, refused to admitted', rate(1) / rate(0), 1),
    ],
  }
}

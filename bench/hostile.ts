import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { constants, loadavg, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { atMost, quantile, rounded, type Section } from './section.ts'
import { startOptions, startServer } from './server.ts'

const rounds = 3
const round_ms = 8000
/** Keys that behave; there is one more. */
const others = 99
/** Pause of a key between two stories, ms. */
const pause_ms = 500

/** What the keys that behave have seen, ms. */
interface Seen {
  /** From a request to the head of its answer, which goes out when the task is durable. */
  readonly admissions: number[]
  /** From one token to the next of the same story. */
  readonly gaps: number[]
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

/** One story of a key, read as it comes. */
function story(port: number, key: string, { admissions, gaps }: Seen): Promise<void> {
  const body = JSON.stringify({ model_ref: 'mock:stories', prompt: 'Tell me of the sea.', max_tokens: 25 })
  const headers = { 'X-API-Key': key, 'Content-Type': 'application/json', Accept: 'text/event-stream' }
  return new Promise((resolve, reject) => {
    const begin = performance.now()
    const req = request({ port, host: '127.0.0.1', path: '/v1/tasks', method: 'POST', headers, agent }, (res) => {
      if (res.statusCode !== 200) reject(new Error(`a story was answered ${res.statusCode}`))
      admissions.push(performance.now() - begin)
      let last: number | undefined
      res.on('data', (chunk: Buffer) => {
        if (!chunk.includes('event: token')) return
        const now = performance.now()
        if (last !== undefined) gaps.push(now - last)
        last = now
      })
      res.on('end', resolve)
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** All keys that behave have one story after the other, for a while. */
async function round(port: number, seen: Seen): Promise<void> {
  const end = performance.now() + round_ms
  const client = async (n: number): Promise<void> => {
    await sleep((n * 1500) / others)
    while (performance.now() < end) {
      await story(port, `key-${n}`, seen)
      await sleep(pause_ms)
    }
  }
  await Promise.all(Array.from({ length: others }, (_, n) => client(n + 1)))
}

/** It has of the machine what the daemon and the other keys leave: a hostile client would have a machine of its own, and take the daemon's time by what it sends. */
function startHostile(port: number): ChildProcess {
  const file = fileURLToPath(new URL('./children/hostile.ts', import.meta.url))
  const child = fork(file, [`${port}`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  return child
}

/** What ninety-nine keys notice of the hundredth, which is hostile, beside the same daemon without it, round by round. */
export async function benchHostile(): Promise<Section> {
  const server = await startServer('many-keys', { execArgv: startOptions() })
  const [quiet, hurt]: [Seen, Seen] = [
    { admissions: [], gaps: [] },
    { admissions: [], gaps: [] },
  ]
  const done: Record<string, number> = {}
  const load = loadavg()[0] ?? 0
  let rss = 0
  try {
    await round(server.port, { admissions: [], gaps: [] })
    for (let n = 0; n < rounds; n++) {
      await round(server.port, quiet)
      const hostile = startHostile(server.port)
      await round(server.port, hurt)
      rss = Math.max(rss, await server.rssMib())
      hostile.send('done')
      const [answers] = (await once(hostile, 'message')) as [Record<string, number>]
      for (const [what, count] of Object.entries(answers)) done[what] = (done[what] ?? 0) + count
      const gone = once(hostile, 'exit')
      hostile.disconnect()
      await gone
    }
  } finally {
    agent.destroy()
    await server.stop()
  }
  const p99 = (values: readonly number[]): number => quantile(values, 0.99)
  const row = (run: string, { admissions, gaps }: Seen): Record<string, string | number> => ({
    ...{
      run,
      stories: admissions.length,
      admission_p50_ms: rounded(quantile(admissions, 0.5)),
      admission_p99_ms: rounded(p99(admissions)),
    },
    ...{ gap_p50_ms: rounded(quantile(gaps, 0.5)), gap_p99_ms: rounded(p99(gaps)) },
  })
  const deeds = Object.entries(done).map(([what, count]) => `${count} x ${what}`)
  return {
    title: `Hostile: ${others} keys with a story after the other (25 tokens of 40 ms), ${rounds} rounds of ${round_ms / 1000} s without and with one more key that sends, as fast as it is answered and at the lowest priority of the machine: ${deeds.join(', ')}, and downloads that it does not read. Load of the machine when it began: ${rounded(load)}. Resident memory at most ${Math.round(rss)} MiB`,
    rows: [row('without', quiet), row('with', hurt)],
    goals: [
      atMost('admission p99, with to without', p99(hurt.admissions) / p99(quiet.admissions), 3),
      atMost('gap between tokens p99, with to without', p99(hurt.gaps) / p99(quiet.gaps), 3),
    ],
  }
}

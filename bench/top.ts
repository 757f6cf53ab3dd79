import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { load } from './load.ts'
import { atMost, median, rounded, type Section } from './section.ts'
import { startOptions, startServer, type BenchServer } from './server.ts'

const rounds = 3
const steady_ms = 10_000
const waiting = 10_000
const program = fileURLToPath(new URL('../bin/orchestratord.cjs', import.meta.url))
const body = JSON.stringify({ prompt: 'Tell me a story.', model_ref: 'mock:m0', max_tokens: 4096, deadline_ms: 86_400_000 })

/** What was used in one round, shares of a core, and what came to the terminal. */
interface Measured {
  readonly top: number
  readonly daemon: number
  readonly alone: number
  readonly kib_per_s: number
}

/** What `top` costs itself and the daemon while 10,000 tasks wait in the pool that it shows. */
export async function benchTop(): Promise<Section> {
  const daemon = await startServer('watched', { execArgv: startOptions() })
  const measured: Measured[] = []
  try {
    const { statuses } = await load(daemon.port, '/v1/tasks', 'X-API-Key: k0\r\n', () => body, waiting + 500, 32)
    if (statuses.get(202) !== waiting + 500) throw new Error(JSON.stringify([...statuses]))
    for (let round = 0; round < rounds; round++) measured.push(await measure(daemon))
  } finally {
    await daemon.stop()
  }
  const of = (what: keyof Measured): number => median(measured.map((one) => one[what]))
  const more = median(measured.map(({ daemon: watched, alone }) => watched - alone))
  return {
    title: `top: ${waiting} tasks wait in the pool that it shows, on a terminal of 160 columns and 50 rows, one look a second; CPU as shares of a core, the daemon's beside the same daemon without it; medians of ${rounds} rounds of ${steady_ms / 1000} s with it and without it in turn`,
    rows: [
      { what: 'top', cpu_share: rounded(of('top')), kib_per_second_written: rounded(of('kib_per_s')) },
      { what: 'daemon, watched by top', cpu_share: rounded(of('daemon')) },
      { what: 'daemon alone', cpu_share: rounded(of('alone')) },
    ],
    goals: [atMost('CPU of top, share of a core', of('top'), 0.05), atMost('CPU that top costs the daemon, share of a core', more, 0.05)],
  }
}

async function measure(daemon: BenchServer): Promise<Measured> {
  const alone = await shareOf(() => daemon.cpuMicros().then((micros) => micros / 1e6))
  const command = `stty rows 50 cols 160; exec '${process.execPath}' '${program}' top`
  const env = { ...process.env, TERM: 'xterm-256color', ORCHD_URL: `http://127.0.0.1:${daemon.port}`, ORCHD_KEY: 'k0' }
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(terminal, 'exit')
  let text = ''
  terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  while (!text.includes('q quit')) await pause(50)
  // What compiles and warms up belongs to its start.
  await pause(2000)
  const pid = readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, 'utf8').trim()
  const [before, watchedBefore, began] = [text.length, await daemon.cpuMicros(), performance.now()]
  const top = await shareOf(() => Promise.resolve(cpuOf(pid)))
  const seconds = (performance.now() - began) / 1000
  const watched = ((await daemon.cpuMicros()) - watchedBefore) / 1e6 / seconds
  const kib_per_s = (text.length - before) / 1024 / seconds
  terminal.stdin.write('q')
  await ended
  return { top, daemon: watched, alone, kib_per_s }
}

/** Share of a core that something takes in a while, by a meter of CPU seconds. */
async function shareOf(meter: () => Promise<number>): Promise<number> {
  const [cpu, began] = [await meter(), performance.now()]
  await pause(steady_ms)
  return ((await meter()) - cpu) / ((performance.now() - began) / 1000)
}

/** CPU seconds of a process so far; proc(5): clock ticks, of which Linux tells 100 a second. */
function cpuOf(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

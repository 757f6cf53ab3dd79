import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { atMost, rounded, type Section } from './section.ts'
import { startOptions, startServer } from './server.ts'

const clients = 128
/** Looks at the memory in the last half, whose means are compared: neighbours of one look are alike, means of many are not. */
const blocks = 10
/** Student's t of a two-sided test at 5 % with `blocks - 2` degrees of freedom. */
const student = 2.306

/** A line through points: its slope, and how far off that may be by chance. */
function slopeOf(values: readonly number[]): { readonly slope: number; readonly error: number } {
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length
  const [x, y] = [(values.length - 1) / 2, mean(values)]
  const spread = values.reduce((sum, _, i) => sum + (i - x) ** 2, 0)
  const slope = values.reduce((sum, value, i) => sum + (i - x) * (value - y), 0) / spread
  const rest = values.reduce((sum, value, i) => sum + (value - y - slope * (i - x)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (values.length - 2) / spread) }
}

/** Resident memory of the daemon over a day's worth of tasks. @param all the whole 100,000 */
export async function benchMemory(all: boolean): Promise<Section> {
  const tasks = all ? 100_000 : 20_000
  const server = await startServer('day-daemon', { execArgv: startOptions() })
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const ask = (method: string, path: string, body?: object): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { 'X-API-Key': 'valid', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) }
      const asked = request({ agent, port: server.port, host: '127.0.0.1', method, path, headers }, resolve)
      asked.on('error', reject).end(body && JSON.stringify(body))
    })
  const whole = async (answer: IncomingMessage, status: number): Promise<void> => {
    if (answer.statusCode !== status) throw new Error(`answered ${String(answer.statusCode)} instead of ${status}`)
    answer.resume()
    if (!answer.readableEnded) await once(answer, 'end')
  }
  /** One task: read to its end, canceled at work, or left by its reader and canceled then. Four of them are a session. */
  const play = async (n: number): Promise<void> => {
    const slow = n % 5 === 0
    const task = {
      task_id: `t${n}`,
      session_id: `s${n >> 2}`,
      model_ref: slow ? 'mock:slow' : 'mock:quick',
      prompt: `Task ${n} of the day`,
    }
    await whole(await ask('POST', '/v1/tasks', { ...task, max_tokens: slow ? 500 : 24 }), 202)
    const stream = await ask('GET', `/v1/tasks/t${n}/stream`)
    if (!slow) return whole(stream, 200)
    if (n % 10 === 0) stream.destroy()
    await whole(await ask('POST', `/v1/tasks/t${n}/cancel`), 204)
    if (n % 10 !== 0) await whole(stream, 200)
  }
  try {
    const begun = performance.now()
    const looks: number[] = []
    let next = 0
    // One question at a time: answers have no names.
    let look: Promise<unknown> = Promise.resolve()
    const client = async (): Promise<void> => {
      while (next < tasks) {
        const n = next++
        await play(n)
        if (n % (tasks / 500) === 0) await (look = look.then(() => server.rssMib()).then((mib) => looks.push(mib)))
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
    const late = looks.slice(-250)
    const size = late.length / blocks
    const means = Array.from({ length: blocks }, (_, i) => late.slice(i * size, (i + 1) * size).reduce((sum, one) => sum + one, 0) / size)
    const { slope, error } = slopeOf(means)
    const tens = tasks / 2 / blocks / 10_000
    return {
      title: `Memory: ${tasks} tasks in sessions of four, a fifth of them canceled at work, half of these left by their reader before; resident memory of the daemon, and the slope of it over the last half with its standard error`,
      rows: [
        {
          ...{ tasks_per_second: rounded(tasks / ((performance.now() - begun) / 1000)), rss_most_mib: rounded(Math.max(...looks)) },
          ...{ rss_half_mib: rounded(means[0] ?? NaN), rss_end_mib: rounded(means.at(-1) ?? NaN) },
          ...{ slope_mib_per_10000: rounded(slope / tens), error_mib_per_10000: rounded(error / tens) },
        },
      ],
      goals: [atMost('slope in standard errors', error === 0 ? 0 : slope / error, student)],
    }
  } finally {
    agent.destroy()
    await server.stop()
  }
}

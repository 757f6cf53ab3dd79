import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { atMost, rounded, type Section } from './section.ts'
import { startOptions, startServer } from './server.ts'
import { trendOf } from './trend.ts'

const clients = 128
/** Looks at the memory, half of them in the last half. */
const looks_in_all = 500
/** Student's t of a two-sided test at 5 %, of 50 means. @see trendOf */
const student = 2.01

/**
 * Resident memory of the daemon over a day's worth of tasks. V8 keeps the pages that it once needed, and a peak that needs more of them comes ever more
 * seldom: the first half lets it reach its level, so that the last one shows what a task leaves behind.
 * @param all 200,000 tasks
 */
export async function benchMemory(all: boolean): Promise<Section> {
  const tasks = all ? 200_000 : 20_000
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
        if (n % (tasks / looks_in_all) === 0) await (look = look.then(() => server.rssMib()).then((mib) => looks.push(mib)))
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
    const late = looks.slice(-looks_in_all / 2)
    const { slope, error } = trendOf(late)
    const tens = tasks / looks_in_all / 10_000
    return {
      title: `Memory: ${tasks} tasks in sessions of four, a fifth of them canceled at work, half of these left by their reader before; resident memory of the daemon, and the slope of it over the last half with a standard error that holds where looks resemble their neighbours`,
      rows: [
        {
          ...{ tasks_per_second: rounded(tasks / ((performance.now() - begun) / 1000)), rss_most_mib: rounded(Math.max(...looks)) },
          ...{ rss_half_mib: rounded(late[0] ?? NaN), rss_end_mib: rounded(late.at(-1) ?? NaN) },
          ...{ slope_mib_per_10000: rounded(slope / tens), error_mib_per_10000: rounded(error / tens) },
        },
      ],
      goals: [atMost('slope in standard errors', slope === 0 ? 0 : slope / error, student)],
    }
  } finally {
    agent.destroy()
    await server.stop()
  }
}

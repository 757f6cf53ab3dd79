import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '../../sdk/src/index.ts'
import { TestTerminal } from '../cli/terminal.ts'
import { keyDigest, keys, mockPool } from '../harness/daemon.ts'
import { freePort } from '../harness/engine-process.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { until } from '../harness/wait.ts'
import { svgOf, type Shot } from './svg.ts'

/*
 * `npm run recording`: the terminals of the README. A queue fills, a task moves up, the daemon is killed in the middle of its answer, and the
 * answer goes on. What is shown is what the programs wrote, at the pace at which they did.
 */

const columns = 100
const [rows_top, rows_run] = [15, 4]
const every_ms = 150
const [prompt, seed] = ['Tell me a story about a fox.', '8']

const dir = temporaryDir()
const port = await freePort()
const config = {
  listen: `127.0.0.1:${port}`,
  pools: [mockPool({ replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 100, token_ms: 70, tokens: 36 } })],
  auth: { keys: [keyFor(keys.all, 'ann', ['data', 'control']), keyFor(keys.data, 'agent', ['data'])] },
}
const env = { ORCHD_URL: `http://127.0.0.1:${port}`, ORCHD_KEY: keys.all, NO_COLOR: '1' }

let daemon = await DaemonProcess.start(dir.path, { config })
const others = createClient({ baseUrl: env.ORCHD_URL, key: keys.data })
const top = new TestTerminal(['top', '--every', '0.2'], env, columns, rows_top)
let run: TestTerminal | undefined
let said: readonly string[] = []

const shots: Shot[] = []
const began = performance.now()
const shoot = (): void => {
  const lower = run === undefined ? [] : [`$ orchestratord run "${prompt}" --seed ${seed}`, ...run.screen.split('\n')]
  const padded = (lines: readonly string[], rows: number): string[] => Array.from({ length: rows }, (_, row) => lines[row] ?? '')
  const lines = [
    '$ orchestratord top',
    ...padded(top.screen.split('\n'), rows_top),
    '',
    ...padded(lower, rows_run + 1),
    '',
    ...padded(said, 2),
  ]
  shots.push({ at_ms: performance.now() - began, lines })
}
const camera = setInterval(shoot, every_ms)

try {
  await until(() => top.screen.includes('q quit'))
  for (let n = 1; n <= 7; n++) {
    await others.tasks.create({ task_id: `agent-${n}`, prompt: `Part ${n}`, max_tokens: 20 })
    await pause(150)
  }
  run = new TestTerminal(['run', prompt, '--seed', seed], env, columns, rows_run)
  const asked = run
  await until(() => wordsOf(asked) > 12)
  said = [`$ kill -9 ${daemon.pid}`, '# The daemon is gone in the middle of the answer.']
  await daemon.stop('SIGKILL')
  await pause(2000)
  said = ['$ orchestratord', '# It is back: what waited is in its queue, and the answer goes on where it stopped.']
  daemon = await DaemonProcess.start(dir.path, { config })
  const status = await run.ended
  if (status !== 0) throw new Error(`orchestratord run ended with ${status}: ${run.screen}`)
  await pause(1000)
} finally {
  clearInterval(camera)
  shoot()
  run?.close()
  top.close()
  await daemon.stop('SIGKILL')
  dir.remove()
}

const file = join(import.meta.dirname, '../../docs/recording.svg')
const title = 'A queue fills, a task moves up and starts, the daemon is killed, and the answer goes on where it stopped.'
writeFileSync(file, svgOf(shots, { columns, rows: rows_top + rows_run + 6, rest_ms: 4000, title }))

function keyFor(key: string, name: string, roles: readonly string[]): Record<string, unknown> {
  return { name, roles, key_sha256: keyDigest(key) }
}

/** Words of the answer so far: they come after the line that says how it waits is cleared for the last time. */
function wordsOf({ raw }: TestTerminal): number {
  return raw
    .slice(raw.lastIndexOf('\x1b[K'))
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
    .split(' ').length
}

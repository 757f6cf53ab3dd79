import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { atMost, median, rounded, type Section } from './section.ts'
import { startOptions } from './server.ts'

const rounds = 11

/** How often a server that listens is asked whether it is ready, ms. */
const ask_ms = 2

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A program to start. */
interface Program {
  readonly name: string
  /** Arguments of Node. */
  readonly args: readonly string[]
  /** A folder where npx is called with them, in place of Node. */
  readonly npx?: string
  /** The path that answers 200 once it is ready; without one it says its memory and is ready when it ends. */
  readonly path?: string
  /** Each start is its first: nothing compiled has been kept. */
  readonly cold?: boolean
}

interface Start {
  readonly seconds: number
  readonly rss_mib: number
}

/** Time from the spawn to ready and memory at that moment, of the daemon with a mock pool alone and of what it is compared with. */
export async function benchStart(): Promise<Section> {
  const dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
  const config = join(dir, 'orchestratord.yaml')
  writeFileSync(
    config,
    `listen: 127.0.0.1:0\ndata_dir: ${join(dir, 'data')}\npools: [{ id: mock, engine: mock, driver: in-process, model: "mock:v1", ctx: 8192 }]\n`,
  )
  const daemon = { args: [...startOptions(), fileOf('../scripts/start.cjs'), '--config', config], path: '/readyz' }
  const tarball = execFileSync('npm', ['run', '--silent', 'package'], { cwd: fileOf('..'), encoding: 'utf8' }).trim()
  writeFileSync(join(dir, 'package.json'), '{}')
  execFileSync('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', tarball], { cwd: dir })
  const packed = { args: [join(dir, 'node_modules/orchestratord/lib/orchestratord.cjs'), '--config', config], path: '/readyz' }
  const memory = 'console.log(process.memoryUsage.rss())'
  const programs: readonly Program[] = [
    { name: 'node -e', args: ['-e', memory] },
    { name: 'express', args: [fileOf('children/express.ts')], path: '/healthz' },
    { name: 'daemon', ...daemon },
    { name: 'daemon, first start', ...daemon, cold: true },
    { name: 'package', ...packed },
    { name: 'package, first start', ...packed, cold: true },
    { name: 'npx node -e', args: ['-c', `node -e "${memory}"`], npx: dir },
    { name: 'npx orchestratord', args: ['orchestratord', '--config', config], npx: dir, path: '/readyz' },
  ]
  const starts = programs.map((): Start[] => [])
  try {
    // Round -1 fills the caches and is not counted.
    for (let round = -1; round < rounds; round++)
      for (const [i, program] of programs.entries()) {
        const start = await startOf(program, join(dir, program.cold === true ? `cache-${round}` : 'cache'))
        if (round >= 0) starts[i]?.push(start)
      }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  const of = (i: number, field: keyof Start): number => median((starts[i] ?? []).map((start) => start[field]))
  return {
    title: `Start: from the spawn until ready, and resident memory at that moment; the daemon with a mock pool alone, of the checkout, of the package and of the package by npx, beside Node, a bare express server and npx alone; medians of ${rounds} rounds in turn. A first start has no compiled code from the one before`,
    rows: programs.map(({ name }, i) => ({ program: name, seconds: rounded(of(i, 'seconds')), rss_mib: rounded(of(i, 'rss_mib')) })),
    goals: [
      atMost('seconds until ready', of(2, 'seconds'), 0.5),
      atMost('seconds until ready, package', of(4, 'seconds'), 1),
      atMost('seconds until ready, package for the first time', of(5, 'seconds'), 1),
      atMost('seconds until ready, npx orchestratord', of(7, 'seconds'), 1),
      atMost('MiB when ready', of(2, 'rss_mib'), 110),
      atMost('MiB when ready, package', of(4, 'rss_mib'), 110),
    ],
  }
}

async function startOf({ args, npx, path }: Program, cache: string): Promise<Start> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ORCHD_') && name !== 'NODE_COMPILE_CACHE')
  // Nobody sets Node's variable for npx, which would profit from it itself.
  const kept = npx === undefined ? { NODE_COMPILE_CACHE: cache } : { XDG_CACHE_HOME: cache }
  const begin = performance.now()
  const child = spawn(npx === undefined ? process.execPath : 'npx', args, {
    ...(npx === undefined ? {} : { cwd: npx }),
    env: { ...Object.fromEntries(inherited), ...kept },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const seconds = (): number => (performance.now() - begin) / 1000
  const lines = createInterface(child.stdout)
  if (path === undefined) {
    const [line] = (await once(lines, 'line')) as [string]
    await exited
    return { seconds: seconds(), rss_mib: Number(line) / 2 ** 20 }
  }
  const url = await addressIn(lines)
  while ((await fetch(url + path)).status !== 200) await sleep(ask_ms)
  const daemon = innermost(child.pid ?? NaN)
  const start = { seconds: seconds(), rss_mib: rssOf(daemon) }
  process.kill(daemon, 'SIGTERM')
  await exited
  return start
}

/** The address a server says, one JSON object a line. */
async function addressIn(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const { address } = JSON.parse(line) as { readonly address?: string }
    if (address !== undefined) return address
  }
  throw new Error('the program ended before it said its address')
}

/** What a process has started, by way of its shell. */
function innermost(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return child === '' ? pid : innermost(Number(child))
}

/** Resident memory of a process, MiB. */
function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

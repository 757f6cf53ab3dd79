import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { installedBelow, withInstalled } from './installed.ts'

/** Clients that `npm run clients` installs, by the folder of each. */
export type RealClient = 'claude-code' | 'codex' | 'opencode' | 'qwen-code' | 'pi' | 'aider' | 'python-clients'

/** A suite that needs a real client. Where it is not installed its tests are skipped, and the title says how to install it. */
export function withClient(client: RealClient, title: string, suite: () => void): void {
  withInstalled(client, 'clients', title, suite)
}

/** What a README tells the user of a client. */
export interface ClientLines {
  readonly title: string
  /** Files to write, with their paths as they stand there. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
  /** Lines for a shell; empty where it has none. */
  readonly script: string
}

/** The sections of a README: a block of code under the line "`PATH`:" is a file, one of sh is what to run. */
export function clientLines(markdown: string): ClientLines[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const blocks = [...section.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)]
      return {
        title: section.slice(0, section.indexOf('\n')),
        files: blocks.flatMap(([, path, , text = '']) => (path === undefined ? [] : [{ path, text }])),
        script: blocks.flatMap(([, path, language, text = '']) => (path === undefined && language === 'sh' ? [text] : [])).join(''),
      }
    })
}

/** A proxy that lets nothing through. */
export interface Guard {
  readonly url: string
  /** Hosts that were asked for. */
  readonly hosts: string[]
  close(): Promise<void>
}

/** Starts a proxy on loopback that refuses and remembers. */
export async function startGuard(): Promise<Guard> {
  const hosts: string[] = []
  const server = createServer((socket) => {
    // A client that has gone already has nothing to be told.
    socket.on('error', () => undefined)
    socket.once('data', (begin) => {
      const asked = /^\S+ (\S+)/.exec(begin.toString('latin1'))?.[1] ?? 'nothing that is HTTP'
      // A path is a package that a client would install while it runs: this is the registry, too.
      if (!asked.startsWith('/')) hosts.push(asked)
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hosts,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** What came of a client's run. */
export interface Ran {
  /** Exit status; null after a signal. */
  readonly status: number | null
  /** What it wrote, errors and all. */
  readonly output: string
}

/** A user who has nothing but a client: a home and a project, both empty. */
export class ClientUser {
  readonly home = mkdtempSync(join(tmpdir(), 'orchd-client-'))
  readonly project = join(this.home, 'project')
  private readonly env: NodeJS.ProcessEnv

  /** @param guard the only way out, beside loopback */
  constructor(client: RealClient, guard: Guard) {
    mkdirSync(this.project)
    const folder = join(installedBelow, client)
    const path = [join(folder, 'node_modules/.bin'), join(folder, 'bin'), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin']
    const proxies = Object.fromEntries(['http_proxy', 'https_proxy', 'all_proxy'].map((name) => [name, guard.url]))
    const shouted = Object.fromEntries(Object.entries(proxies).map(([name, url]) => [name.toUpperCase(), url]))
    this.env = {
      ...{ HOME: this.home, PATH: path.join(':'), TERM: 'dumb', LANG: 'C.UTF-8', NODE_USE_ENV_PROXY: '1' },
      ...{ ...proxies, ...shouted, no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1', npm_config_registry: guard.url },
    }
  }

  /** Does what a README says, with another URL for its own. */
  async follow({ files, script }: ClientLines, own: string, url: string): Promise<Ran> {
    for (const { path, text } of files) {
      const file = path.startsWith('~/') ? join(this.home, path.slice(2)) : join(this.project, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text.replaceAll(own, url))
    }
    return this.run(['bash', '-euc', script.replaceAll(own, url)])
  }

  /** Runs a command in the project, to its end and the end of all it has started. */
  run([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const child = spawn(command, args, {
      cwd: this.project,
      env: { ...this.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // Nothing of its group is left.
      }
    }
    process.once('exit', end)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    return new Promise<Ran>((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', end)
      child.on('close', (status) => resolve({ status, output }))
    }).finally(() => process.removeListener('exit', end))
  }

  /** A file of the project as the client has left it. */
  wrote(file: string): string {
    return readFileSync(join(this.project, file), 'utf8')
  }

  /** Nothing of it is left. */
  leave(): void {
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 })
  }
}

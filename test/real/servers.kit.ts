import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { untilAnswer } from '../harness/wait.ts'

/** A server that a daemon has started. */
export interface ManagedServer {
  readonly pid: number
  /** Its process group, which its supervisor leads. */
  readonly group: number
  /** Where it listens on loopback. */
  readonly port: number
}

interface Process {
  readonly parent: number
  readonly group: number
  readonly args: string
}

/** The processes that run now, by their id; zombies are left out. */
async function processes(): Promise<ReadonlyMap<number, Process>> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,args='])
  return new Map(
    stdout.split('\n').flatMap((row) => {
      const [, pid, parent, group, stat = 'Z', args = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(row) ?? []
      return stat.startsWith('Z') ? [] : [[Number(pid), { parent: Number(parent), group: Number(group), args }] as const]
    }),
  )
}

/** The servers of a daemon: the leader of a server's group is its supervisor, which is a child of the daemon. */
export async function serversOf(daemon: number): Promise<ManagedServer[]> {
  const all = await processes()
  return [...all].flatMap(([pid, { parent, group, args }]) => {
    const port = Number(/--port (\d+)/.exec(args)?.[1])
    return parent === group && all.get(group)?.parent === daemon ? [{ pid, group, port }] : []
  })
}

/** The hexadecimal number of an established connection in /proc/net/tcp (proc(5)); others are on their way out, or only the kernel's. */
const established = '01'

/** Established connections of this machine with a port of loopback, from either end. */
async function connectionsWith(port: number): Promise<string[]> {
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n')
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return rows.filter((row) => {
    const [, local = '', remote = '', state] = row.trim().split(/\s+/)
    return state === established && (local.endsWith(end) || remote.endsWith(end))
  })
}

/** Resolves when nothing is left of a server that was killed, or whose daemon was: no process of its group, no connection with its port. */
export async function untilGone({ group, port }: ManagedServer): Promise<void> {
  const left = async (): Promise<unknown[]> => {
    const members = [...(await processes()).values()].filter((one) => one.group === group)
    return [...members, ...(await connectionsWith(port))]
  }
  assert.deepEqual(await untilAnswer(left, (some) => some.length === 0), [])
}

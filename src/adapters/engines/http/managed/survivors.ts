import { readdir, readFile } from 'node:fs/promises'
import { codeOf } from '../../../../domain/errors.ts'

/** Signals a process group; false where it has no members. What belongs to another user, as sudo makes it, hears nothing. */
export function signalled(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ESRCH' || code === 'EPERM') return code === 'EPERM'
    throw error
  }
}

/**
 * Whether a process group has members.
 * @param exactly tells zombies from the living where /proc does: in a container whose first process reaps nobody they stay for ever
 */
export async function survivorsOf(group: number, exactly: boolean): Promise<boolean> {
  if (!signalled(group, 0)) return false
  return !exactly || process.platform !== 'linux' || (await livingIn(group))
}

async function livingIn(group: number): Promise<boolean> {
  for (const entry of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    const [state, , pgrp] = await statOf(entry)
    if (Number(pgrp) === group && state !== 'Z' && state !== 'X') return true
  }
  return false
}

/** State, parent and group of a process, as /proc/PID/stat has them after the name in brackets (man 5 proc); nothing where it is gone. */
async function statOf(pid: string): Promise<string[]> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return []
    throw error
  }
}

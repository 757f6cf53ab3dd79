import { readdir, readFile } from 'node:fs/promises'

/**
 * Whether a process group has members.
 * @param exactly tells zombies from the living where /proc does: in a container whose first process reaps nobody they stay for ever
 */
export async function survivorsOf(group: number, exactly: boolean): Promise<boolean> {
  try {
    process.kill(-group, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
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
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return []
    throw error
  }
}

import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Runs `body` and returns the child processes started meanwhile. */
export async function childrenOf(body: () => Promise<unknown>): Promise<ChildProcess[]> {
  const children: ChildProcess[] = []
  const onChild = (message: unknown): void => void children.push((message as { process: ChildProcess }).process)
  subscribe('child_process', onChild)
  try {
    await body()
  } finally {
    unsubscribe('child_process', onChild)
  }
  return children
}

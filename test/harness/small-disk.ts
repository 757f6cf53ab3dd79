import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { statfsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the disk is, for those who see it. */
const at = '/dev/shm'

const privileged = process.getuid?.() === 0

/**
 * A real file system with little room (tmpfs), in a mount namespace of its own (Linux; util-linux's unshare and nsenter), so that a test needs
 * no rights and leaves nothing behind.
 */
export class SmallDisk {
  readonly path = at
  private readonly holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.holder = holder
  }

  static async mount(size_bytes: number): Promise<SmallDisk> {
    const script = `mount -t tmpfs -o size=${size_bytes} tmpfs ${at} && echo mounted && exec cat`
    const namespaces = privileged ? ['--mount'] : ['--user', '--map-root-user', '--mount']
    const holder = spawn('unshare', [...namespaces, 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown]
    if (!(said instanceof Buffer)) throw new Error(`no file system could be mounted (${String(said)})`)
    return new SmallDisk(holder)
  }

  /** What a command has to be preceded with so that it sees the disk. */
  get prefix(): readonly string[] {
    const target = String(this.holder.pid)
    return ['nsenter', '--target', target, ...(privileged ? [] : ['--user', '--preserve-credentials']), '--mount', '--']
  }

  /** Takes all the room that is left. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.outside)
    writeFileSync(join(this.outside, 'filler'), Buffer.alloc(bavail * bsize))
  }

  makeRoom(): void {
    unlinkSync(join(this.outside, 'filler'))
  }

  async unmount(): Promise<void> {
    const gone = once(this.holder, 'exit')
    this.holder.stdin?.end()
    await gone
  }

  /** The disk as it is seen from here. */
  private get outside(): string {
    return `/proc/${String(this.holder.pid)}/root${at}`
  }
}

import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Restart } from '../../src/domain/restart.ts'
import type { Verdict } from './verdict-process.ts'

const main = join(import.meta.dirname, 'verdict-process.ts')

/** A life of the daemon, in a process of its own, that says what a restart would do. */
export class Life {
  readonly url: string
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.child = child
    this.url = url
  }

  /** @param config the daemon's, with its `data_dir` */
  static async begin(config: Readonly<Record<string, unknown>>): Promise<Life> {
    const child = fork(main, [JSON.stringify(config)])
    const [told] = (await once(child, 'message')) as [Verdict]
    return new Life(child, 'url' in told ? told.url : assert.fail('it says where it listens'))
  }

  /** What a restart would do now, and whether the journal has all that is known. */
  async verdict(): Promise<{ readonly restart: Restart; readonly kept: boolean }> {
    const answer = once(this.child, 'message')
    this.child.send('verdict')
    const [told] = (await answer) as [Verdict]
    return 'restart' in told ? told : assert.fail('it says what a restart would do')
  }

  /** Ends it at once; what is not on the disk is lost. */
  async kill(): Promise<void> {
    if (this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

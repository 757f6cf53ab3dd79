import assert from 'node:assert/strict'
import type { EngineFactory } from '../../src/compose/engines.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Engine } from '../../src/ports/engine.ts'
import type { Storage } from '../../src/ports/storage.ts'
import type { OpenedStream, Streams } from '../../src/services/tasks/streams.ts'
import { settled } from './fake-clock.ts'

type Open = (...given: Parameters<Streams['open']>) => Promise<OpenedStream | undefined>

/** Counts what a daemon has begun and not ended: all of it is over once it has stopped. */
export class Leftovers {
  /** Each with where it was begun. */
  private readonly open = {
    timers: new Set<Error>(),
    'engine calls': new Set<Error>(),
    commits: new Set<Error>(),
    readers: new Set<Error>(),
  }

  /** Whether a commit is on its way. */
  get writes(): boolean {
    return this.open.commits.size > 0
  }

  clock(clock: Clock): Clock {
    const timer = (set: (begun: Error) => () => void): (() => void) => {
      const begun = this.begin('timers')
      const cancel = set(begun)
      return () => {
        this.open.timers.delete(begun)
        cancel()
      }
    }
    return {
      now: () => clock.now(),
      wallOf: (moment) => clock.wallOf(moment),
      after: (delay_ms, run) =>
        timer((begun) =>
          clock.after(delay_ms, () => {
            this.open.timers.delete(begun)
            run()
          }),
        ),
      every: (period_ms, run) => timer(() => clock.every(period_ms, run)),
    }
  }

  storage(storage: Storage): Storage {
    const { journal } = storage
    return { ...storage, journal: { ...journal, commit: (facts) => this.during('commits', () => journal.commit(facts)) } }
  }

  /** Engines whose calls are counted. Tests may put other methods in their place. */
  engines(engines: EngineFactory): EngineFactory {
    return (...of) => {
      const engine: Engine = engines(...of)
      const [generate, countTokens] = [engine.generate.bind(engine), engine.countTokens.bind(engine)]
      engine.generate = (...given) => this.during('engine calls', () => generate(...given))
      engine.countTokens = (...given) => this.during('engine calls', () => countTokens(...given))
      return engine
    }
  }

  /** From now on readers of these streams are counted. */
  follow(streams: Streams): void {
    const open = streams.open.bind(streams) as Open
    const counted: Open = async (...given) => {
      const opened = await open(...given)
      if (opened === undefined) return undefined
      const { reader } = opened
      const begun = this.begin('readers')
      const close = reader.close.bind(reader)
      reader.close = () => {
        this.open.readers.delete(begun)
        close()
      }
      return opened
    }
    streams.open = counted as Streams['open']
  }

  /** @throws AssertionError naming what is left, and where the first of it was begun */
  async none(): Promise<void> {
    await settled()
    for (const [what, left] of Object.entries(this.open)) {
      const [first] = left
      assert.equal(left.size, 0, `the daemon has stopped and left ${left.size} ${what}; the first was begun\n${first?.stack ?? ''}`)
    }
  }

  private begin(what: keyof typeof this.open): Error {
    const begun = new Error('here')
    this.open[what].add(begun)
    return begun
  }

  private async during<T>(what: keyof typeof this.open, run: () => Promise<T>): Promise<T> {
    const begun = this.begin(what)
    try {
      return await run()
    } finally {
      this.open[what].delete(begun)
    }
  }
}

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Lives, type Followed } from '../e2e/crash.kit.ts'
import { repeats } from '../harness/long.ts'
import { temporaryDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { untilAnswer } from '../harness/wait.ts'
import { serversOf, untilGone, type ManagedServer } from './servers.kit.ts'
import { assertEnd, managedPool, storyOf, textOfTranscript } from './stories.kit.ts'

const deaths = repeats({ quick: 2, long: 20 })
const streams = repeats({ quick: 6, long: 50 })
/** Some of the streams wait for their turn, the others are cut in the middle. */
const slots = repeats({ quick: 4, long: 20 })
const stories = 10
/** What is cut off in `again` is run again, in `onward` it is gone on with. */
const pools = ['again', 'onward'] as const

/** One task, and what its reader has got of it by now. */
interface Reading {
  readonly task_id: string
  readonly pool: (typeof pools)[number]
  readonly story: number
  readonly followed: Followed
}

const tokensOf = ({ tokens }: Followed): { readonly t: string; readonly i: number }[] =>
  tokens.map((frame) => JSON.parse(frame.slice(frame.indexOf(' ') + 1)) as { t: string; i: number })
const textOf = (followed: Followed): string =>
  tokensOf(followed)
    .map(({ t }) => t)
    .join('')

/** Whether tokens have come over the connection that is open. */
const talks = ({ newest }: Followed): boolean => newest !== undefined && newest.tokens.length > 0

/** Readers that are never done: each sends its next task when the last has ended. */
class Readers {
  readonly all: Reading[] = []
  private readonly lives: Lives
  private over = false

  constructor(lives: Lives) {
    this.lives = lives
  }

  /** Those whose task has not ended. */
  get open(): Reading[] {
    return this.all.filter(({ followed }) => followed.ends.length === 0)
  }

  /** Resolves when the last task has ended after `finish`. */
  async run(): Promise<void> {
    await Promise.all(pools.flatMap((pool) => Array.from({ length: streams }, () => this.readOn(pool))))
  }

  finish(): void {
    this.over = true
  }

  /** One task to its end. */
  async read(pool: Reading['pool'], story: number): Promise<Followed> {
    const task_id = `${pool}-${this.all.length}`
    const followed: Followed = { tokens: [], ends: [], connections: 0 }
    this.all.push({ task_id, pool, story, followed })
    await this.lives.post(storyOf(story, task_id, pool))
    await this.lives.follow(task_id, followed)
    return followed
  }

  private async readOn(pool: Reading['pool']): Promise<void> {
    while (!this.over) await this.read(pool, this.all.length % stories)
  }
}

/** Begins the next life; resolves with its servers when they have been started. */
async function begin(lives: Lives): Promise<ManagedServer[]> {
  const { pid } = await lives.begin()
  return untilAnswer(
    () => serversOf(pid),
    ({ length }) => length === pools.length,
  )
}

withEngine('llama-server', `a daemon with real llama-servers that is killed ${deaths} times under ${streams} streams of each`, () => {
  it('goes on with every answer, be it the same again or gone on with, and leaves no server behind', async () => {
    const dir = temporaryDir()
    const data_dir = join(dir.path, 'data')
    const lives = new Lives(dir.path, {
      data_dir,
      pools: pools.map((id) => ({ ...managedPool({ id, slots, replayable: id === 'again' }), queue: { capacity: 1000 } })),
    })
    try {
      let servers = await begin(lives)
      const readers = new Readers(lives)
      const alone: Followed[] = []
      for (let story = 0; story < stories; story++) alone.push(await readers.read('again', story))

      const done = readers.run()
      done.catch(() => undefined)
      let cutting = 0
      // A death counts where it has cut at least one answer of each pool in the middle: a busy machine may see a whole one at once.
      for (let death = 0; cutting < deaths; death++) {
        assert.ok(death < 4 * deaths, `only ${cutting} deaths have cut an answer`)
        const before = readers.open
        const ended = (): boolean => before.every(({ followed }) => followed.ends.length > 0)
        const goesOn = (): boolean =>
          before.some(({ followed }) => followed.ends.length === 0 && followed.tokens.length > 0 && talks(followed))
        const allTalk = (): boolean => pools.every((id) => readers.open.some(({ pool, followed }) => pool === id && talks(followed)))
        // Every fifth time while it goes on with what the last death has cut; else when that has ended, so that no answer is cut three times.
        const enough = (): boolean => (ended() || (death % 5 === 4 && goesOn())) && allTalk()
        await Promise.race([done, untilAnswer(() => Promise.resolve(enough()), Boolean)])
        const open = readers.open.flatMap(({ pool, followed: { newest } }) => (newest === undefined ? [] : [{ pool, newest }]))
        await lives.end('SIGKILL')
        await Promise.allSettled(open.map(({ newest }) => newest.closed))
        const cut = open.filter(({ newest }) => newest.tokens.length > 0 && newest.terminal === undefined)
        if (pools.every((id) => cut.some(({ pool }) => pool === id))) cutting++
        await Promise.all(servers.map(untilGone))
        servers = await begin(lives)
      }
      readers.finish()
      await done

      const url = await lives.url
      for (const { task_id, pool, story, followed } of readers.all) {
        const [terminal, ...others] = followed.ends
        assert.ok(terminal !== undefined && others.length === 0, task_id)
        const text = textOf(followed)
        assertEnd({ terminal, text })
        assert.deepEqual(
          tokensOf(followed).map(({ i }) => i),
          followed.tokens.map((_, i) => i),
          task_id,
        )
        if (pool === 'again') assert.deepEqual(followed.tokens, alone[story]?.tokens, task_id)
        assert.equal(await textOfTranscript(url, 'valid', { terminal }), text)
      }
      await lives.end('SIGTERM')
      await Promise.all(servers.map(untilGone))
      const db = new DatabaseSync(join(data_dir, 'orchestratord.db'), { readOnly: true })
      const all = readers.all.length
      assert.deepEqual(
        { ...db.prepare('SELECT count(*) AS tasks, sum(ended = ?) AS completed FROM tasks').get('completed') },
        { tasks: all, completed: all },
      )
      db.close()
    } finally {
      await lives.abandon()
      dir.remove()
    }
  }).timeout(1_800_000)
})

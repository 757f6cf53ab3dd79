import type { Client } from '../../sdk/src/index.ts'
import { CommandError, exit } from '../common/exit.ts'
import { linesAround, linesOf, type Snapshot } from './view.ts'

/** Most entries of a page of the contract. */
const largest_page = 200
/** A look that takes longer is given up, ms: a connection may be dead without either side knowing. */
const look_ms = 10_000

interface Question {
  readonly text: string
  readonly act: () => Promise<string>
}

/** What `top` knows and has been told: asks the daemon, and takes keys. */
export class Board {
  private readonly client: Client
  private snapshot: Snapshot
  private selected = 0
  /** Where each page up to the present one begins. */
  private cursors: (string | undefined)[] = [undefined]
  private next: string | undefined
  private question: Question | undefined
  private told = ''
  private trouble = ''

  constructor(client: Client, url: string) {
    this.client = client
    this.snapshot = { url, pools: [], pool_id: undefined, entries: [], more: false }
  }

  /**
   * Asks the daemon how things stand.
   * @param rows lines of the terminal
   * @throws what the client throws; a CommandError where no answer came in time
   */
  async refresh(rows: number, signal: AbortSignal, limit_ms = look_ms): Promise<Snapshot> {
    const limit = AbortSignal.timeout(limit_ms)
    try {
      return await this.ask(rows, AbortSignal.any([signal, limit]))
    } catch (error) {
      if (!limit.aborted || signal.aborted) throw error
      const { url } = this.snapshot
      throw new CommandError(`${url} has not answered for ${limit_ms / 1000} s`, exit.unreachable, { cause: error })
    }
  }

  private async ask(rows: number, signal: AbortSignal): Promise<Snapshot> {
    const { pools } = await this.client.pools.list({ signal })
    this.trouble = ''
    const pool_id = pools.find((pool) => pool.pool_id === this.snapshot.pool_id)?.pool_id ?? pools[0]?.pool_id
    this.snapshot = { ...this.snapshot, pools, pool_id }
    if (pool_id === undefined) return (this.snapshot = { ...this.snapshot, entries: [], more: false })
    const limit = Math.min(largest_page, Math.max(1, rows - linesAround(pools.length)))
    const cursor = this.cursors.at(-1)
    const page = await this.client.pools.queue(pool_id, { limit, ...(cursor === undefined ? {} : { cursor }) }, { signal })
    // Somebody has turned to another pool or page meanwhile, which the next look asks for.
    if (this.snapshot.pool_id !== pool_id || this.cursors.at(-1) !== cursor) return this.snapshot
    this.next = page.next_cursor
    // The one that was chosen stays so where it has moved to.
    const chosen = this.snapshot.entries[this.selected]?.task_id
    const moved = chosen === undefined ? -1 : page.entries.findIndex(({ task_id }) => task_id === chosen)
    this.selected = Math.max(0, moved === -1 ? Math.min(this.selected, page.entries.length - 1) : moved)
    return (this.snapshot = { ...this.snapshot, entries: page.entries, more: page.next_cursor !== undefined })
  }

  /** The screen as lines. */
  lines(): string[] {
    return linesOf(this.snapshot, {
      selected: this.selected,
      page: this.cursors.length - 1,
      message: this.question?.text ?? (this.trouble || this.told),
    })
  }

  /** Says something where the keys stand. */
  tell(message: string): void {
    this.told = message
  }

  /** Says why the daemon was not asked, until it is. */
  tellTrouble(message: string): void {
    this.trouble = message
  }

  /**
   * Takes a key by its name.
   * @returns what is to be asked of the daemon, saying what has come of it; undefined where only the screen has changed
   */
  press(key: string): (() => Promise<string>) | undefined {
    const asked = this.question
    this.question = undefined
    this.told = ''
    if (asked !== undefined) return key === 'y' ? asked.act : undefined
    const { entries, pool_id } = this.snapshot
    if (key === 'down') this.selected = Math.min(this.selected + 1, Math.max(0, entries.length - 1))
    else if (key === 'up') this.selected = Math.max(0, this.selected - 1)
    else if (key === 'right' || key === 'left') return this.turnPool(key === 'right' ? 1 : -1)
    else if (key === 'n' && this.next !== undefined) return this.turnPage([...this.cursors, this.next])
    else if (key === 'p' && this.cursors.length > 1) return this.turnPage(this.cursors.slice(0, -1))
    else if (key === 'c') this.question = this.cancelQuestion()
    else if (key === 'd' && pool_id !== undefined)
      this.question = {
        text: `Drain ${pool_id}: nothing new, what is left in 60 s ends? y/n`,
        act: () => this.client.pools.drain(pool_id, { deadline_ms: 60_000 }).then(() => `${pool_id} drains; r lets it take tasks again.`),
      }
    else if (key === 'r' && pool_id !== undefined) return () => this.client.pools.resume(pool_id).then(() => `${pool_id} takes tasks.`)
    return undefined
  }

  private cancelQuestion(): Question | undefined {
    const { task_id: id, owner } = this.snapshot.entries[this.selected] ?? {}
    if (id === undefined) {
      this.told = 'Only a key with the role control cancels tasks of others.'
      return undefined
    }
    return { text: `Cancel ${id}? y/n`, act: () => this.client.tasks.cancel(id, { owner }).then(() => `${id} is canceled.`) }
  }

  private turnPool(by: number): () => Promise<string> {
    const { pools, pool_id } = this.snapshot
    const at = pools.findIndex((pool) => pool.pool_id === pool_id)
    const to = pools[(at + by + pools.length) % Math.max(1, pools.length)]
    this.snapshot = { ...this.snapshot, pool_id: to?.pool_id, entries: [] }
    return this.turnPage([undefined])
  }

  /** Nothing is asked but the queue anew. */
  private turnPage(cursors: (string | undefined)[]): () => Promise<string> {
    this.cursors = cursors
    this.selected = 0
    return () => Promise.resolve('')
  }
}

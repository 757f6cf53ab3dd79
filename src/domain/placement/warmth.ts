import { block_bytes } from './prompt-blocks.ts'
import { Recent } from './recent.ts'

/** Most sessions of a pool whose last replica is known. */
const most_sessions = 16_384
/** Fewest and most blocks that are known of a replica: the most are 2 million tokens, and take 2 MiB. */
const fewest_blocks = 64
const most_blocks = 32_768
/** Rough length of a token, as the estimate of a prompt has it. */
const token_bytes = 4

/** How many blocks of prompts a replica's cache can hold. @param tokens of its KV cache, or as many as its slots have at least */
export const cacheBlocks = (tokens: number): number =>
  Math.max(fewest_blocks, Math.min(most_blocks, Math.ceil((tokens * token_bytes) / block_bytes)))

/** What the cache of one replica should hold, judged by the prompts that were sent to it. */
class Cache {
  private readonly blocks: Recent<number, true>
  /** Blocks. */
  readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
    this.blocks = new Recent(capacity)
  }

  /** Deepest first: the beginning of a prompt is always newer than what comes after it, as engines evict, and is never forgotten before it. */
  add(prompt: Int32Array): void {
    for (let depth = Math.min(prompt.length, this.capacity) - 1; depth >= 0; depth--) this.blocks.set(prompt[depth] ?? 0, true)
  }

  /** How many blocks at the beginning of a prompt it knows. O(log blocks), for what is known of a prompt is its beginning. */
  shared(prompt: Int32Array): number {
    let known = 0
    let unknown = prompt.length + 1
    while (unknown - known > 1) {
      const middle = (known + unknown) >>> 1
      if (this.blocks.get(prompt[middle - 1] ?? 0) === true) known = middle
      else unknown = middle
    }
    return known
  }
}

/**
 * Which replica of a pool is warm for what: where a session ran last, and how much of a prompt each replica has seen lately. It is known from
 * what was sent, without asking an engine, and bounded for each replica: nobody's cache holds more sessions than blocks.
 */
export class Warmth {
  private readonly caches = new Map<string, Cache>()
  private readonly sessions = new Recent<string, Cache>(most_sessions)

  /** Sessions that are known, at most. */
  get known(): number {
    return this.sessions.size
  }

  /** A task runs on a replica from now on. @param capacity of its cache, blocks @see cacheBlocks */
  ran(replica_id: string, session: string, blocks: Int32Array, capacity: number): void {
    let cache = this.caches.get(replica_id)
    if (cache === undefined) {
      this.caches.set(replica_id, (cache = new Cache(capacity)))
      this.bound()
    }
    cache.add(blocks)
    this.sessions.set(session, cache)
  }

  /** A replica starts with an empty cache. */
  lost(replica_id: string): void {
    this.caches.delete(replica_id)
    this.bound()
  }

  /** The replica where the session ran last; undefined where it has started anew since then or nothing is known. */
  replicaOf(session: string): string | undefined {
    const cache = this.sessions.get(session)
    for (const [replica_id, one] of this.caches) if (one === cache) return replica_id
    return undefined
  }

  /** How warm a replica is: infinitely where the session ran last, else as many blocks as it shares; 0 where it knows nothing. */
  of(replica_id: string, session: string, blocks: Int32Array): number {
    const cache = this.caches.get(replica_id)
    if (cache === undefined) return 0
    return this.sessions.get(session) === cache ? Infinity : cache.shared(blocks)
  }

  private bound(): void {
    const blocks = [...this.caches.values()].reduce((sum, { capacity }) => sum + capacity, 0)
    this.sessions.resize(Math.min(most_sessions, blocks))
  }
}

import type { LlamaContextSequence, Token } from 'node-llama-cpp'

/** One sequence of the context and whose KV state it holds. */
export interface Slot {
  readonly sequence: LlamaContextSequence
  session: string | undefined
  /** Number of the take it was last taken at; 0 if never. */
  taken: number
}

interface Waiter {
  readonly session: string
  readonly resolve: (slot: Slot) => void
}

/** Hands out the sequences, in order of asking. */
export class Slots {
  private readonly sequences: readonly LlamaContextSequence[]
  private readonly free: Slot[]
  private readonly waiting: Waiter[] = []
  private takes = 0

  constructor(sequences: readonly LlamaContextSequence[]) {
    this.sequences = sequences
    this.free = sequences.map((sequence) => ({ sequence, session: undefined, taken: 0 }))
  }

  /** Tokens whose state is kept, those of finished tasks included. */
  get tokens(): number {
    return this.sequences.reduce((sum, sequence) => sum + sequence.nextTokenIndex, 0)
  }

  /** Waits for a free slot. Rejects with the signal's reason when aborted before. */
  async acquire(session: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted()
    const slot = this.take(session)
    if (slot !== undefined) return slot
    const { promise, resolve, reject } = Promise.withResolvers<Slot>()
    const waiter = { session, resolve }
    const onAbort = (): void => {
      const at = this.waiting.indexOf(waiter)
      if (at >= 0) this.waiting.splice(at, 1)
      reject(signal.reason)
    }
    this.waiting.push(waiter)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  release(slot: Slot): void {
    this.free.push(slot)
    const next = this.waiting.shift()
    if (next === undefined) return
    const taken = this.take(next.session)
    if (taken !== undefined) next.resolve(taken)
  }

  /** The session's own slot, else the one unused for longest, so that the others stay warm for their sessions. */
  private take(session: string): Slot | undefined {
    const own = this.free.find((slot) => slot.session === session)
    const slot = own ?? this.free.reduce<Slot | undefined>((a, b) => (a === undefined || b.taken < a.taken ? b : a), undefined)
    if (slot === undefined) return undefined
    this.free.splice(this.free.indexOf(slot), 1)
    slot.taken = ++this.takes
    return slot
  }
}

/**
 * Makes a slot's sequence hold nothing but a prefix of the prompt and returns the length of that prefix. Only the same session's
 * state is reused: another's would tell by its speed what that other one had asked.
 */
export async function preparePrefix(slot: Slot, session: string, kv: 'reuse' | 'cold', prompt: readonly Token[]): Promise<number> {
  const { sequence } = slot
  const own = slot.session === session
  slot.session = session
  if (kv === 'reuse' && own) {
    // The last token is always evaluated, for its logits are what the first new token is drawn from.
    await sequence.adaptStateToTokens(prompt.slice(0, -1), false)
  } else if (sequence.nextTokenIndex > 0) {
    await sequence.clearHistory()
  }
  return sequence.nextTokenIndex
}

import type { Conversation } from './conversations.ts'

/** Tokens of a block. */
const block_tokens = 16
/** More blocks than any conversation has. */
const stride = 4096

/** The KV cache of a simulated engine: blocks of tokens that are found by all that is before them, the longest unused dropped first. */
export class KvCache {
  private readonly capacity: number
  private readonly blocks = new Set<number>()

  constructor(tokens: number) {
    this.capacity = Math.floor(tokens / block_tokens)
  }

  /** How many of a conversation's first tokens it holds. What it holds of one is its beginning. */
  held(conversation: Conversation, tokens: number): number {
    let known = 0
    let unknown = Math.floor(tokens / block_tokens) + 1
    while (unknown - known > 1) {
      const middle = (known + unknown) >>> 1
      if (this.blocks.has(idOf(conversation, middle - 1))) known = middle
      else unknown = middle
    }
    return known * block_tokens
  }

  add(conversation: Conversation, tokens: number): void {
    for (let block = Math.floor(tokens / block_tokens) - 1; block >= 0; block--) {
      const id = idOf(conversation, block)
      this.blocks.delete(id)
      this.blocks.add(id)
    }
    for (const oldest of this.blocks) {
      if (this.blocks.size <= this.capacity) return
      this.blocks.delete(oldest)
    }
  }
}

/** Conversations share the blocks of their system prompt. */
const idOf = ({ id, system, system_tokens }: Conversation, block: number): number =>
  (block + 1) * block_tokens <= system_tokens ? -(system * stride + block) - 1 : id * stride + block

import type { ChatMessage, Tool } from '../task.ts'

/** Bytes of a block: about 64 tokens, four blocks of an engine's own cache. */
export const block_bytes = 256
const block_words = block_bytes / 4
/** What is looked at of a prompt, blocks: the first MiB. */
const most_blocks = 4096
/** What is looked at of an attachment, characters: engines make a thousand tokens of a megabyte. */
const most_attached = 512

/** Raw text, or a conversation with the tools that its model may call. */
export type PlacedPrompt = { readonly text: string } | { readonly messages: readonly ChatMessage[]; readonly tools?: readonly Tool[] }

/**
 * One number for each full block of a prompt, each a hash of everything up to the end of its block: prompts with equal numbers begin alike.
 * A conversation that grows keeps the numbers it had. Two prompts may share a number by chance, once in 2^32: that costs speed, nothing else.
 * O(characters), a tenth of a millisecond for 64 KiB.
 */
export function promptBlocks(prompt: PlacedPrompt): Int32Array {
  const hasher = new BlockHasher()
  if ('text' in prompt) hasher.take(prompt.text)
  else {
    // Chat templates tell of the tools before the conversation.
    for (const tool of prompt.tools ?? []) hasher.take(JSON.stringify(tool.function))
    for (const message of prompt.messages) takeMessage(hasher, message)
  }
  return hasher.blocks()
}

/** Everything of a message that a template shows again in later turns; of its reasoning most show nothing. */
function takeMessage(hasher: BlockHasher, { role, name, tool_call_id, content, tool_calls = [] }: ChatMessage): void {
  hasher.take(`\n${role}\n${name ?? ''}\n${tool_call_id ?? ''}\n`)
  if (typeof content === 'string') hasher.take(content)
  else
    for (const part of content ?? []) {
      if (part.type === 'text') hasher.take(part.text)
      else if (part.type === 'image_url') hasher.take(attached(part.image_url.url))
      else hasher.take(attached(part.input_audio.data))
    }
  for (const call of tool_calls) hasher.take(`\n${call.id}\n${call.function.name}\n${call.function.arguments}`)
}

/** Enough of an attachment to tell it from others. */
function attached(data: string): string {
  if (data.length <= most_attached) return data
  const step = data.length / most_attached
  let sample = `${data.length}\n`
  for (let at = 0; at < data.length; at += step) sample += data.charAt(at)
  return sample
}

const encoder = new TextEncoder()
/** Bytes that are hashed at once. */
const most_buffered = 64 * block_bytes
/** Longest character, bytes. */
const most_character = 4

/** Hashes UTF-8 text block by block, whatever the pieces it comes in. */
class BlockHasher {
  private readonly bytes = new Uint8Array(most_buffered)
  private readonly words = new Int32Array(this.bytes.buffer)
  private filled = 0
  private state = 0
  private readonly found: number[] = []

  take(text: string): void {
    for (let rest = text; rest !== '' && this.found.length < most_blocks;) {
      const { read, written } = encoder.encodeInto(rest, this.bytes.subarray(this.filled))
      this.filled += written
      rest = rest.slice(read)
      if (this.filled > most_buffered - most_character) this.flush()
    }
  }

  blocks(): Int32Array {
    this.flush()
    return Int32Array.from(this.found.slice(0, most_blocks))
  }

  /** Leaves what is not a whole block. */
  private flush(): void {
    const whole = Math.floor(this.filled / block_bytes)
    for (let block = 0; block < whole; block++) {
      this.state = mixed(this.state, this.words, block * block_words)
      this.found.push(this.state)
    }
    this.bytes.copyWithin(0, whole * block_bytes, this.filled)
    this.filled -= whole * block_bytes
  }
}

/** One block of MurmurHash3, 32 bits (A. Appleby, 2011). */
function mixed(state: number, words: Int32Array, from: number): number {
  for (let at = from; at < from + block_words; at++) {
    let word = Math.imul(words[at] ?? 0, 0xcc9e2d51)
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593)
    const next = state ^ word
    state = (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
  }
  return state
}

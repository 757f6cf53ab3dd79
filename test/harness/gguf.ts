/** A value of a GGUF header: its type's number and what stands there. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
interface Value {
  readonly type: number
  readonly bytes: Buffer
}

const string = 8
const array = 9
/** Bytes of the types with a fixed size, by the type's number. */
const sizes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const alignment = 32

/** A text as GGUF has it. */
function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return Buffer.concat([length, bytes])
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

const textValue = (text: string): Value => ({ type: string, bytes: textBytes(text) })
const arrayValue = (of: number, items: readonly Buffer[]): Value => ({
  type: array,
  bytes: Buffer.concat([number32(of), number64(items.length), ...items]),
})

class Reader {
  at = 0
  readonly file: Buffer
  constructor(file: Buffer) {
    this.file = file
  }
  take(count: number): Buffer {
    this.at += count
    return this.file.subarray(this.at - count, this.at)
  }
  count(): number {
    return Number(this.take(8).readBigUInt64LE())
  }
  text(): string {
    return this.take(this.count()).toString()
  }
  value(type: number): Buffer {
    const from = this.at
    if (type === string) this.take(this.count())
    else if (type === array) {
      const of = this.take(4).readUInt32LE()
      for (let left = this.count(); left > 0; left--) this.value(of)
    } else this.take(sizes[type] ?? 0)
    return this.file.subarray(from, this.at)
  }
}

/** The characters by which byte-level BPE writes the 256 bytes (GPT-2's `bytes_to_unicode`). */
function byteCharacters(): string[] {
  const shown = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(shown(byte) ? byte : next++))
}

/**
 * The same model with a byte-level vocabulary, which cuts texts into words as models of this kind do: each byte is a token.
 * @param pre `tokenizer.ggml.pre`
 */
export function withByteTokens(file: Buffer, pre: string): Buffer {
  const reader = new Reader(file)
  const start = reader.take(8)
  const tensors = reader.count()
  const pairs = new Map<string, Value>()
  let vocabulary = 0
  for (let left = reader.count(); left > 0; left--) {
    const key = reader.text()
    const type = reader.take(4).readUInt32LE()
    const bytes = reader.value(type)
    if (key === 'tokenizer.ggml.tokens') vocabulary = Number(bytes.readBigUInt64LE(4))
    pairs.set(key, { type, bytes })
  }
  const infos = reader.at
  for (let left = tensors; left > 0; left--) {
    reader.text()
    reader.take(reader.take(4).readUInt32LE() * 8 + 12)
  }
  const tensorInfos = file.subarray(infos, reader.at)
  const data = file.subarray(Math.ceil(reader.at / alignment) * alignment)
  const tokens = Array.from({ length: vocabulary }, (_, index) => byteCharacters()[index] ?? `<unused${index}>`)
  for (const key of [...pairs.keys()]) if (key.startsWith('tokenizer.')) pairs.delete(key)
  pairs.set('tokenizer.ggml.model', textValue('gpt2'))
  pairs.set('tokenizer.ggml.pre', textValue(pre))
  pairs.set('tokenizer.ggml.tokens', arrayValue(string, tokens.map(textBytes)))
  pairs.set(
    'tokenizer.ggml.token_type',
    arrayValue(
      5,
      tokens.map((_, index) => number32(index < 256 ? 1 : 5)),
    ),
  )
  pairs.set('tokenizer.ggml.merges', arrayValue(string, []))
  pairs.set('tokenizer.ggml.eos_token_id', { type: 4, bytes: number32(256) })
  const header = Buffer.concat([
    start,
    number64(tensors),
    number64(pairs.size),
    ...[...pairs].flatMap(([key, { type, bytes }]) => [textBytes(key), number32(type), bytes]),
    tensorInfos,
  ])
  return Buffer.concat([header, Buffer.alloc(Math.ceil(header.length / alignment) * alignment - header.length), data])
}

import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp'

const BUDGET_MS = 60
const MAX_TOKENS = 24
/** A larger number of threads has to be worth it: they are taken from everybody else. */
const GAIN = 1.1

/** Powers of two up to the number of cores, and that number. */
export function threadCandidates(cores: number): number[] {
  const candidates: number[] = []
  for (let threads = 1; threads < cores; threads *= 2) candidates.push(threads)
  return [...candidates, Math.max(1, cores)]
}

/** Some text token to evaluate: the measurements do not care what the model says. */
const anyToken = (model: LlamaModel): Token => model.tokens.bos ?? model.tokens.eos ?? (0 as Token)

async function tokensPerSecond(model: LlamaModel, threads: number): Promise<number> {
  const context = await model.createContext({ contextSize: 64, sequences: 1, batchSize: 8, threads, flashAttention: false })
  try {
    const stream = context.getSequence().evaluate([anyToken(model)], { temperature: 0, yieldEogToken: true })
    // The first token touches cold memory and starts the threads.
    await stream.next()
    const from = performance.now()
    let tokens = 0
    while (tokens === 0 || (tokens < MAX_TOKENS && performance.now() - from < BUDGET_MS)) {
      await stream.next()
      tokens += 1
    }
    await stream.return()
    return (tokens * 1000) / (performance.now() - from)
  } finally {
    await context.dispose()
  }
}

/**
 * The number of threads that decodes fastest. Ends at the first candidate that gains nothing: with more it only gets worse.
 *
 * Not left to the default because that can be ruinous: the shipped 2.4 M model on 2 cores, seen: default 1 token/s, 2: ~90, 1: ~550.
 */
export async function fastestThreads(model: LlamaModel, cores: number): Promise<number> {
  let best = { threads: 1, rate: 0 }
  for (const threads of threadCandidates(cores)) {
    const rate = await tokensPerSecond(model, threads)
    if (rate < best.rate * GAIN) break
    best = { threads, rate }
  }
  return best.threads
}

const PROBE_LENGTHS = [17, 3, 11, 6]
const PROBE_STEPS = 6

/**
 * Whether sequences evaluated together give bit for bit what each gives alone. That depends on which kernels the CPU, the
 * quantization and the batch size select, so it is tried and not assumed: a few prompts of different lengths alone, then at
 * once, compared by the exact probability of each sampled token.
 */
export async function batchingIsExact(context: LlamaContext, sequences: readonly LlamaContextSequence[]): Promise<boolean> {
  const probed = sequences.slice(0, PROBE_LENGTHS.length)
  const vocabulary = context.model.fileInfo.metadata.tokenizer.ggml.tokens.length
  const run = async (sequence: LlamaContextSequence, index: number): Promise<string> => {
    const length = PROBE_LENGTHS[index] ?? 1
    const prompt = Array.from({ length }, (_, at) => ((at * 7919 + index * 104729 + 300) % vocabulary) as Token)
    const options = { temperature: 1, topK: 0, topP: 1, seed: index + 1, yieldEogToken: true }
    const seen: string[] = []
    for await (const { token, confidence } of sequence.evaluateWithMetadata(prompt, { confidence: true }, options)) {
      seen.push(`${String(token)}:${String(confidence)}`)
      if (seen.length === PROBE_STEPS) break
    }
    await sequence.clearHistory()
    return seen.join(' ')
  }
  const alone: string[] = []
  for (const [index, sequence] of probed.entries()) alone.push(await run(sequence, index))
  const together = await Promise.all(probed.map(run))
  return together.every((seen, index) => seen === alone[index])
}

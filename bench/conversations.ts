import type { ChatMessage } from '../src/domain/task.ts'
import { generator } from './workload.ts'

/** One turn of a conversation: what is asked with all that went before, and the answer. */
export interface Turn {
  /** Pause after the answer to the turn before, ms; of the first turn since the simulation began. */
  readonly pause_ms: number
  readonly messages: readonly ChatMessage[]
  readonly prompt_tokens: number
  readonly answer_tokens: number
}

/** What an agent and its model say to each other. */
export interface Conversation {
  readonly id: number
  /** Which of the shared system prompts it begins with, and how long that is. */
  readonly system: number
  readonly system_tokens: number
  readonly turns: readonly Turn[]
}

export const chars_per_token = 4
const systems = 8
const most_tokens = 16_384 - 1024
/** Share of the turns that are answers of tools; the others are a person's. */
const by_tools = 0.8
const tool_pause_ms = 2000
const person_pause_ms = 20_000

/** Letters without a pattern, to cut texts out of. */
const letters = ((): string => {
  const random = generator(7)
  return Array.from({ length: 1 << 17 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('')
})()

/** A text of so many tokens that no other begins like. */
function textOf(name: string, tokens: number): string {
  const length = Math.max(0, tokens * chars_per_token - name.length - 1)
  const from = (name.length * 7919 + tokens * 104_729) % (letters.length / 2)
  return `${name} ${letters.slice(from, from + length)}`
}

/**
 * Conversations that come as a Poisson process: system prompts shared by Zipf's law, of 500 to 4,000 tokens; 2 to 40 turns, 10 in the mean;
 * what is said each time log-normal, 250 tokens and sigma 1, the answers 120 and sigma 0.7.
 */
export function conversationsOf(seed: number, count: number, every_ms: number): Conversation[] {
  const random = generator(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  const tokens = (median: number, sigma: number): number => Math.ceil(Math.min(3000, median * Math.exp(sigma * normal())))
  const exponential = (mean: number): number => -Math.log(random()) * mean
  let at = 0
  return Array.from({ length: count }, (_, id) => {
    at += exponential(every_ms)
    const system = zipf(random())
    const system_tokens = 500 * (1 + ((system * 3) % systems))
    const messages: ChatMessage[] = [{ role: 'system', content: textOf(`system ${system}`, system_tokens) }]
    let held = system_tokens
    const turns: Turn[] = []
    const wanted = Math.max(2, Math.min(40, Math.round(exponential(10))))
    while (turns.length < wanted) {
      const tool = turns.length > 0 && random() < by_tools
      const [said, answer_tokens] = [tokens(250, 1), tokens(120, 0.7)]
      if (held + said + answer_tokens > most_tokens) break
      const content = textOf(`${id} ${turns.length}`, said)
      messages.push(tool ? { role: 'tool', tool_call_id: `c${turns.length}`, content } : { role: 'user', content })
      held += said
      const pause_ms = turns.length === 0 ? at : exponential(tool ? tool_pause_ms : person_pause_ms)
      turns.push({ pause_ms, messages: [...messages], prompt_tokens: held, answer_tokens })
      messages.push({ role: 'assistant', content: textOf(`answer ${id} ${turns.length}`, answer_tokens) })
      held += answer_tokens
    }
    return { id, system, system_tokens, turns }
  })
}

/** Zipf's law over the system prompts. */
function zipf(chance: number): number {
  const weights = Array.from({ length: systems }, (_, rank) => 1 / (rank + 1))
  let left = chance * weights.reduce((sum, weight) => sum + weight, 0)
  return Math.max(
    0,
    weights.findIndex((weight) => (left -= weight) <= 0),
  )
}

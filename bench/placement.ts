import { conversationsOf } from './conversations.ts'
import { Fleet, type Choice, type FleetResult } from './fleet.ts'
import { atLeast, atMost, quantile, rounded, type Goal, type Section } from './section.ts'

const slots = 8
const context = 16_384
const choices: readonly Choice[] = ['oracle', 'daemon', 'fewest busy', 'round robin']

/** Fleets, how often a conversation begins, which gives their load, and their caches as a share of slots times context. */
const fleets = [
  { replicas: 4, load: 0.6, conversations: 800, every_ms: 1150, cache: 1 },
  { replicas: 16, load: 0.6, conversations: 1600, every_ms: 290, cache: 1 },
  { replicas: 16, load: 0.6, conversations: 1600, every_ms: 290, cache: 0.5 },
  { replicas: 16, load: 0.2, conversations: 600, every_ms: 900, cache: 1 },
] as const

/** Conversations of agents that grow, on replicas with bounded KV caches: what of the prompts is found warm, and how even the load is. */
export function benchPlacement(): Promise<Section> {
  const compared = fleets.map(compare)
  return Promise.resolve({
    title:
      `Placement: a simulation of agents' conversations that grow (10 turns in the mean, 80 % of them answers of tools; 8 system prompts of 500 to 4,000 tokens, shared by Zipf's law) on replicas of ${slots} slots with a context of ${context} tokens and a KV cache ` +
      'of so many times slots x context, in blocks of 16 tokens, the longest unused dropped first. The slots are busy for the share of the time that the fleet has in its name. The daemon knows only what it has sent; the oracle knows what each cache holds and keeps the same rule of load. load is the busy time of the busiest replica, over the mean',
    rows: compared.flatMap(({ rows }) => rows),
    goals: compared.flatMap(({ goals }) => goals),
  })
}

function compare({ replicas, load: wanted, conversations, every_ms, cache }: (typeof fleets)[number]) {
  const all = conversationsOf(replicas, conversations, every_ms)
  const assumed_tokens = slots * context
  const results = choices.map((choice) => {
    const result = new Fleet({ replicas, slots, cache_tokens: assumed_tokens * cache, assumed_tokens, choice }).run(all)
    return { choice, result, share: result.warm_tokens / result.prompt_tokens, load: loadOf(result) }
  })
  const oracle = results[0]?.share ?? NaN
  const name = `${replicas} replicas at ${wanted}, cache ${cache}`
  const goals = results.flatMap(({ choice, share, load }): Goal[] =>
    choice === 'daemon'
      ? [atLeast(`${name}: warm share, to the oracle's`, share / oracle, 0.9), atMost(`${name}: load, busiest to mean`, load, 1.25)]
      : [],
  )
  const rows = results.map(({ choice, result, share, load }) => ({
    fleet: name,
    choice,
    tasks: result.tasks,
    warm_share: rounded(share),
    of_oracle: rounded(share / oracle),
    load: rounded(load),
    first_token_p50_ms: rounded(quantile(result.first_token_ms, 0.5)),
    first_token_p95_ms: rounded(quantile(result.first_token_ms, 0.95)),
  }))
  return { rows, goals }
}

const loadOf = ({ busy_ms }: FleetResult): number => Math.max(...busy_ms) / (busy_ms.reduce((sum, ms) => sum + ms, 0) / busy_ms.length)

import { choose, type Seat } from '../src/domain/placement/choose.ts'
import { promptBlocks } from '../src/domain/placement/prompt-blocks.ts'
import { cacheBlocks, Warmth } from '../src/domain/placement/warmth.ts'
import type { Conversation, Turn } from './conversations.ts'
import { KvCache } from './kv-cache.ts'

/** How a replica is chosen: as the daemon does, by what the caches really hold under the same rule, or without a look at them. */
export type Choice = 'daemon' | 'oracle' | 'fewest busy' | 'round robin'

export interface FleetRules {
  readonly replicas: number
  readonly slots: number
  /** Of each replica's KV cache, tokens. */
  readonly cache_tokens: number
  /** What the daemon takes the cache for: slots times context, tokens. */
  readonly assumed_tokens: number
  readonly choice: Choice
}

/** What a fleet has done. */
export interface FleetResult {
  readonly tasks: number
  readonly prompt_tokens: number
  readonly warm_tokens: number
  /** Time its slots were busy, by replica, ms. */
  readonly busy_ms: readonly number[]
  /** From the wish to the first token, ms, by task. */
  readonly first_token_ms: readonly number[]
}

interface Machine extends Seat {
  readonly id: string
  readonly index: number
  readonly cache: KvCache
  busy: number
  busy_ms: number
}

interface Request {
  readonly conversation: Conversation
  readonly number: number
  readonly turn: Turn
  readonly at: number
}

interface Happening {
  readonly at: number
  readonly run: () => void
}

const prefill_ms_per_token = 0.2
const decode_ms_per_token = 15

/** Replicas on a simulated clock that answer conversations; what waits is served in order. */
export class Fleet {
  private readonly rules: FleetRules
  private readonly machines: Machine[]
  private readonly warmth = new Warmth()
  private readonly waiting: Request[] = []
  /** By time, the last comes first. */
  private readonly agenda: Happening[] = []
  private readonly first_token_ms: number[] = []
  private now = 0
  private turned = 0
  private prompt_tokens = 0
  private warm_tokens = 0

  constructor(rules: FleetRules) {
    this.rules = rules
    this.machines = Array.from({ length: rules.replicas }, (_, index) => {
      const cache = new KvCache(rules.cache_tokens)
      return { id: `r${index}`, index, cache, busy: 0, busy_ms: 0, free_vram_bytes: undefined }
    })
  }

  /** Answers all of them. */
  run(conversations: readonly Conversation[]): FleetResult {
    for (const conversation of conversations) this.plan(conversation, 0)
    for (let next = this.agenda.pop(); next !== undefined; next = this.agenda.pop()) {
      this.now = next.at
      next.run()
    }
    const { prompt_tokens, warm_tokens, first_token_ms } = this
    const busy_ms = this.machines.map((machine) => machine.busy_ms)
    return { tasks: first_token_ms.length, prompt_tokens, warm_tokens, busy_ms, first_token_ms }
  }

  private plan(conversation: Conversation, number: number): void {
    const turn = conversation.turns[number]
    if (turn === undefined) return
    const at = this.now + turn.pause_ms
    this.happen(at, () => {
      this.waiting.push({ conversation, number, turn, at })
      this.dispatch()
    })
  }

  private dispatch(): void {
    while (this.waiting.length > 0 && this.machines.some(({ busy }) => busy < this.rules.slots)) {
      const request = this.waiting.shift()
      const machine = request === undefined ? undefined : this.chosen(request)
      if (request === undefined || machine === undefined) return
      this.begin(request, machine)
    }
  }

  private begin({ conversation, number, turn, at }: Request, machine: Machine): void {
    const warm = machine.cache.held(conversation, turn.prompt_tokens)
    const prefill_ms = (turn.prompt_tokens - warm) * prefill_ms_per_token
    const service_ms = prefill_ms + turn.answer_tokens * decode_ms_per_token
    machine.cache.add(conversation, turn.prompt_tokens)
    machine.busy++
    machine.busy_ms += service_ms
    this.prompt_tokens += turn.prompt_tokens
    this.warm_tokens += warm
    this.first_token_ms.push(this.now + prefill_ms - at)
    this.happen(this.now + service_ms, () => {
      machine.busy--
      machine.cache.add(conversation, turn.prompt_tokens + turn.answer_tokens)
      this.plan(conversation, number + 1)
      this.dispatch()
    })
  }

  private chosen({ conversation, turn }: Request): Machine | undefined {
    const { choice, slots, assumed_tokens } = this.rules
    const able = this.machines.filter(({ busy }) => busy < slots)
    if (choice === 'oracle') return choose(able, ({ cache }) => cache.held(conversation, turn.prompt_tokens))
    if (choice === 'fewest busy') return choose(able, () => 0)
    if (choice === 'round robin') {
      const after = able.find(({ index }) => index >= this.turned) ?? able[0]
      this.turned = (after?.index ?? 0) + 1
      return after
    }
    const { messages } = turn
    const blocks = promptBlocks({ messages })
    const session = String(conversation.id)
    const machine = choose(able, ({ id }) => this.warmth.of(id, session, blocks))
    if (machine !== undefined) this.warmth.ran(machine.id, session, blocks, cacheBlocks(assumed_tokens))
    return machine
  }

  private happen(at: number, run: () => void): void {
    let [low, high] = [0, this.agenda.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.agenda[middle]?.at ?? 0) > at) low = middle + 1
      else high = middle
    }
    this.agenda.splice(low, 0, { at, run })
  }
}

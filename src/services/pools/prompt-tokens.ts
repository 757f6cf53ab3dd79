import type { AcceptedTask } from '../../domain/task.ts'
import type { Pool } from './pool.ts'

/** What counts a prompt's tokens: pools of one engine and one model count alike. */
export const tokenizerOf = ({ config }: Pick<Pool, 'config'>): string => `${config.engine} ${config.model}`

/** How many tokens a prompt has: engines and models count differently, and each pool is judged by its own count. */
export class PromptTokens {
  private readonly counts: ReadonlyMap<string, number | undefined>
  private readonly otherwise: number

  /**
   * @param counts by tokenizer; undefined where its engine cannot take the prompt
   * @param otherwise what a pool is judged by whose tokenizer has not counted
   */
  constructor(counts: ReadonlyMap<string, number | undefined>, otherwise: number) {
    this.counts = counts
    this.otherwise = otherwise
  }

  /** What is known of an accepted task. A pool whose tokenizer has not counted is judged by the largest count. */
  static of({ prompt_tokens, counts = {} }: AcceptedTask): PromptTokens {
    return new PromptTokens(new Map(Object.entries(counts)), Math.max(prompt_tokens, ...Object.values(counts)))
  }

  /** Tokens of the prompt in a pool; undefined where its engine cannot take it. */
  in(pool: Pick<Pool, 'config'>): number | undefined {
    const tokenizer = tokenizerOf(pool)
    return this.counts.has(tokenizer) ? this.counts.get(tokenizer) : this.otherwise
  }

  /** What has to be kept with the task, so that it can go to another pool: nothing where all count alike. */
  get kept(): Pick<AcceptedTask, 'counts'> {
    const counts = [...this.counts].filter((count): count is [string, number] => count[1] !== undefined)
    return counts.length < 2 ? {} : { counts: Object.fromEntries(counts) }
  }
}

import { costNano } from '../../domain/accounts/budget.ts'
import type { TaskSpec } from '../../domain/task.ts'
import type { Pool } from '../pools/pool.ts'
import type { Need } from '../sessions/reserved-session.ts'

/** The most that a task may use in a pool. */
export const needOf = ({ max_tokens }: Pick<TaskSpec, 'max_tokens'>, prompt_tokens: number, pool: Pick<Pool, 'config'>): Need => ({
  tokens: prompt_tokens + max_tokens,
  cost_nano: costNano(pool.config.prices, prompt_tokens, max_tokens),
})

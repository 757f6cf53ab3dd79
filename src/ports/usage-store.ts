import type { Usage } from '../domain/usage.ts'

/** Which usage to list, newest first. Days are inclusive. */
export interface UsageFilter {
  /** Only this owner's; everybody's if left out. */
  readonly owner?: string
  readonly from?: string
  readonly to?: string
  /** Only rows with a smaller `seq`. */
  readonly before_seq?: number
  readonly limit: number
}

/** Reads the sums of what `usage` facts said. */
export interface UsageStore {
  /** `seq` orders rows by the time of their first fact. */
  list(filter: UsageFilter): Promise<(Usage & { readonly seq: number })[]>
}

/** What is known of a task before it runs. */
export interface WorkShape {
  readonly prompt_tokens: number
  readonly max_tokens: number
  readonly expected_tokens?: number | undefined
}

/** What a finished task took. Durations in ms. */
export interface WorkDone extends WorkShape {
  readonly tokens_out: number
  /** From dispatch to the first token. */
  readonly prefill_ms: number
  /** From the first to the last token. */
  readonly decode_ms: number
  /** What `serviceMs` said at acceptance. */
  readonly predicted_service_ms: number
}

/** Weight of the newest observation once the averages have warmed up; about the last twenty tasks count. */
const smoothing = 0.1

/** Before anything has been seen: a small model on a slow machine, so that the first promises are not too bold. */
const prior = { prefill_ms_per_token: 1, decode_ms_per_token: 20, share: 0.5, relative_variance: 0.25 }

/**
 * Learns how long tasks of one pool take: exponentially weighted prefill and decode rates, the share of max_tokens (or
 * expected_tokens) that is used, and the relative variance of the service time.
 */
export class Estimator {
  private seen = 0
  private prefill_ms_per_token = prior.prefill_ms_per_token
  private decode_ms_per_token = prior.decode_ms_per_token
  private share = prior.share
  private relative_variance = prior.relative_variance

  /** Expected service time of a task on one slot, ms. */
  serviceMs(shape: WorkShape): number {
    const tokens_out = Math.min(shape.max_tokens, (shape.expected_tokens ?? shape.max_tokens) * this.share)
    return shape.prompt_tokens * this.prefill_ms_per_token + tokens_out * this.decode_ms_per_token
  }

  observe(done: WorkDone): void {
    this.seen++
    const weight = Math.max(smoothing, 1 / this.seen)
    const blend = (old: number, now: number): number => old + weight * (now - old)
    this.prefill_ms_per_token = blend(this.prefill_ms_per_token, done.prefill_ms / Math.max(1, done.prompt_tokens))
    if (done.tokens_out > 1) this.decode_ms_per_token = blend(this.decode_ms_per_token, done.decode_ms / (done.tokens_out - 1))
    this.share = blend(this.share, Math.min(1, done.tokens_out / (done.expected_tokens ?? done.max_tokens)))
    if (done.predicted_service_ms <= 0) return
    const error = (done.prefill_ms + done.decode_ms) / done.predicted_service_ms - 1
    this.relative_variance = blend(this.relative_variance, Math.min(4, error * error))
  }

  /**
   * Chance that a task that waits `start_ms` and then runs `service_ms` is done within `left_ms`: normal approximation, the error of
   * the waiting time taken as that of its parts.
   */
  onTimeProbability(start_ms: number, service_ms: number, left_ms: number): number {
    const deviation = Math.sqrt(this.relative_variance * (service_ms * service_ms + start_ms * Math.max(1, service_ms)))
    const margin = left_ms - start_ms - service_ms
    if (deviation === 0) return margin >= 0 ? 1 : 0
    return normalCdf(margin / deviation)
  }
}

/**
 * When a slot is free for a task: `work_ms` of queued work is ahead, and each busy slot has its remaining time left. The slots fill up
 * like connected vessels; with a free slot and nothing ahead it is 0.
 * @param remaining_ms what is left of the running tasks, ms, one for each busy slot
 * @param slots slots in all, at least 1
 */
export function startMs(work_ms: number, remaining_ms: readonly number[], slots: number): number {
  const levels = [...new Array<number>(Math.max(0, slots - remaining_ms.length)).fill(0), ...remaining_ms.map((left) => Math.max(0, left)).sort((a, b) => a - b)]
  let level = levels[0] ?? 0
  let left = work_ms
  for (let filled = 1; left > 0; filled++) {
    const next = levels[filled] ?? Infinity
    const room = (next - level) * filled
    if (room >= left) return level + left / filled
    left -= room
    level = next
  }
  return level
}

/** Standard normal distribution function; Abramowitz and Stegun 7.1.26, error below 1.5e-7. */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x)
  return z >= 0 ? 1 - tail / 2 : tail / 2
}

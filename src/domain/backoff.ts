/** What a 503 tells the client to wait, ms: between 1 s and 600 s. */
export const unavailableRetryMs = (expected_ms: number): number => Math.ceil(Math.min(600_000, Math.max(1000, expected_ms)))

/** Attempts in a row without progress after which a download is given up. */
export const fetchAttempts = 8

/** A pause that is half of `longest_ms` at least, so that not all who wait come back at once. @param jitter 0 to 1 */
export const jittered = (longest_ms: number, jitter: number): number => longest_ms * (0.5 + 0.5 * jitter)

/** Longest pause before the next attempt of a download after `failures` failures in a row (at least 1), ms: doubles from 1 s to 60 s. */
export const fetchDelayMs = (failures: number): number => Math.min(60_000, 1000 * 2 ** Math.min(30, failures - 1))

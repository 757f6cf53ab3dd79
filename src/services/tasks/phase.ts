/**
 * Where a live task is, and what takes it on:
 *
 * - tentative: it has its place in the queue, and its acceptance is on the way to disk. -(accept)-> queued; -(abandon)-> ended, where the
 *   acceptance failed.
 * - queued: it waits, and may be moved to another pool. -(dispatch)-> running; -(claim)-> ending, where it is canceled, displaced or expired.
 * - running: it has a slot, and attempts follow each other. -(requeue)-> queued, where its engine failed and nothing is lost; -(claim)-> ending.
 * - ending: its end is claimed and on its way to disk, and no part comes in any more. -(seal)-> ended; -(unclaim)-> queued, where a displacement
 *   was taken back; -(withdraw)-> ending for good, where the daemon stops and the journal keeps it.
 * - ended: its readers stand on the terminal event.
 */
export type Phase = 'tentative' | 'queued' | 'running' | 'ending' | 'ended'

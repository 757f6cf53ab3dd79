import { sealArtifact } from '../../src/domain/artifact.ts'
import type { Artifact, StoredArtifact } from '../../src/domain/artifact.ts'
import type { BatchRecord } from '../../src/domain/batches/batch.ts'
import type { FileRecord } from '../../src/domain/batches/file.ts'
import type { CatalogRecord } from '../../src/domain/catalog/catalog.ts'
import type { PoolRecord } from '../../src/domain/pool-record.ts'
import type { Session } from '../../src/domain/accounts/session.ts'
import type { StoredLog } from '../../src/domain/stream/task-events.ts'
import type { AcceptedTask, TaskOutcome } from '../../src/domain/task.ts'
import type { Fact } from '../../src/ports/journal.ts'

/** A task with everything but its key and session made up. */
export function sampleTask(owner: string, task_id: string, session_id = 's1', prompt = 'Say "hi" \u{1f44b}'): AcceptedTask {
  return {
    owner,
    task_id,
    request: {
      task_id,
      session_id,
      workload: 'completion',
      model_ref: 'file:model.gguf',
      engine: 'mock',
      ctx: 128,
      priority: 'interactive',
      determinism: 'best_effort',
      prompt,
      max_tokens: 16,
      deadline_ms: 60_000,
      kv_hint: 'cold',
      output_mode: 'text',
    },
    seed: 4_294_967_295,
    prompt_tokens: 3,
    pool_id: 'pool',
    accepted_at: 1_700_000_000_123,
    queue_position: 0,
    predicted_start_ms: 12,
    backoff_ms: 0,
    correlation_id: `c-${task_id}`,
  }
}

export const accepted = (owner: string, task_id: string, session_id?: string, prompt?: string): Fact => ({
  kind: 'accepted',
  task: sampleTask(owner, task_id, session_id, prompt),
})

export const sampleOutcome = (state: TaskOutcome['state'] = 'completed', finished_at = 1000): TaskOutcome =>
  state === 'failed'
    ? { state, finished_at, error: { code: 'INTERNAL', message: 'lost', retriable: true } }
    : { state, finished_at, started_at: 7, replica_id: 'r1', tokens_in: 3, tokens_out: 2, finish_reason: 'stop' }

export const sampleLog = (text = 'token'): StoredLog => ({
  started: '{}',
  parts: `${JSON.stringify([text])}\n`,
  metrics: '',
  terminal: '{"end":{"ü":1}}',
})

export const finished = (owner: string, task_id: string, outcome = sampleOutcome(), log = sampleLog()): Fact => ({
  kind: 'finished',
  key: { owner, task_id },
  outcome,
  log,
})

export const sampleSession = (owner: string, session_id: string, turns = 0): Session => ({
  owner,
  session_id,
  created_at: 5,
  expires_at: 9_000_000_000_000,
  turns,
  budgets: { tokens: 1000 },
  spent: { tokens: turns, cost_nano: 7, time_ms: 0 },
})

export function sampleArtifact(owner: string, content: string, more: Partial<Artifact> = {}, created_at = 1000): StoredArtifact {
  return sealArtifact(owner, { kind: 'plan', content, tags: [], metadata: {}, ...more }, created_at)
}

/** A catalog model with everything but its id and age made up. */
export const sampleModel = (id: string, seq = 1, more: Partial<CatalogRecord> = {}): CatalogRecord => {
  const digest = `sha256:${'ab'.repeat(32)}`
  const manifests = [{ path: 'ü/model.gguf', digest, size_bytes: 9_007_199_254_740_991 }]
  const request = { id, digest, source_url: 'hf:org/repo', tags: ['x'], manifests, trust_policy: { mode: 'permissive' as const } }
  return { seq, request, state: 'Active', files: 'fetching', created_at: 5, ...more }
}

/** A pool that was reloaded, and drains if there is an end of it. */
export const samplePool = (pool_id: string, draining_until?: number): PoolRecord => ({
  pool_id,
  reloaded: { model_ref: 'mock:v2', config_digest: 'sha256:ü' },
  ...(draining_until === undefined ? {} : { draining_until }),
})

export const artifactFact = (artifact: StoredArtifact): Fact => ({ kind: 'artifact', artifact })

/** What `ArtifactStore.list` gives for an artifact, but for `seq`. */
export const withoutContent = (stored: StoredArtifact): StoredArtifact => ({
  ...stored,
  artifact: { ...stored.artifact, content: '' },
})

/** A complete file with everything but its id made up. */
export const sampleFile = (owner: string, file_id: string, more: Partial<FileRecord> = {}): FileRecord => ({
  ...{ owner, file_id, filename: 'lines.jsonl', purpose: 'batch', bytes: 3, parts: 2, created_at: 1000, state: 'complete' },
  ...more,
})

/** A batch with everything but its id and status made up. */
export const sampleBatch = (owner: string, batch_id: string, status: BatchRecord['status']): BatchRecord => ({
  ...{ owner, batch_id, status, endpoint: '/v1/completions', input_file_id: 'f1', metadata: null, created_at: 1, expires_at: 2 },
  ...{ at: {}, problems: [], total: 3, completed: 1, failed: 0, output_file_id: null, error_file_id: null, next: 0, done: [1] },
})

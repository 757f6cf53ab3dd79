// Both threads know a statement by its place in STATEMENTS, so a message carries a number instead of SQL.

import { nothingSpent } from '../../domain/accounts/budget.ts'
import { LOOKED_AT, TASK_LISTS } from './task-lists.ts'

/** Columns of an artifact as lists show it. */
const shownArtifact = "a.owner, a.id, a.created_at, a.size_bytes, a.seq, json_set(a.head, '$.metadata', json('{}'))"

/** Whether the first task from the middle on was accepted at that time or later. */
const middleIsLate = '(SELECT accepted_at FROM tasks WHERE seq >= (low + high) / 2 ORDER BY seq LIMIT 1) >= at'

const SQL = {
  // A time is a place in the order of acceptance: it does not go back where the clock was set back.
  accepted: `INSERT INTO tasks (owner, task_id, session_id, shown, head, pool_id, accepted_at) VALUES (?, ?, ?, ?, ?, ?,
    max(?, coalesce((SELECT accepted_at FROM tasks WHERE seq = (SELECT max(seq) FROM tasks)), 0))) ON CONFLICT DO NOTHING`,
  // Right behind its task.
  request: 'INSERT INTO requests (seq, accepted) VALUES (last_insert_rowid(), ?)',
  attempt: `INSERT INTO attempts (attempt, replica_id, at, replayable, recorded, runs, seq)
    SELECT ?, ?, ?, ?, ?, ?, seq FROM tasks WHERE task_id = ? AND owner = ? AND ended IS NULL
    ON CONFLICT DO UPDATE SET replica_id = excluded.replica_id, at = excluded.at, replayable = excluded.replayable,
    recorded = excluded.recorded, runs = excluded.runs, withdrawn = 0`,
  runs: 'UPDATE attempts SET runs = ? WHERE attempt = ? AND seq = (SELECT seq FROM tasks WHERE task_id = ? AND owner = ? AND ended IS NULL)',
  attemptWithdrawn: `UPDATE attempts SET withdrawn = 1
    WHERE attempt = ? AND seq = (SELECT seq FROM tasks WHERE task_id = ? AND owner = ?)`,
  parts: `INSERT INTO parts (first, parts, seq) SELECT ?, ?, seq FROM tasks WHERE task_id = ? AND owner = ? AND ended IS NULL
    ON CONFLICT DO UPDATE SET parts = excluded.parts`,
  // A task ends once: the first outcome stands, and the log belongs to it (changes() speaks of the statement before).
  finished: `UPDATE tasks SET ended = ?, code = ?, finished_at = ?, outcome = ?, head = NULL
    WHERE task_id = ? AND owner = ? AND ended IS NULL`,
  // The next start looks for it there.
  moved: `UPDATE tasks SET pool_id = ?, head = json_set(head, '$[10]', ?) WHERE task_id = ? AND owner = ? AND ended IS NULL`,
  log: `INSERT INTO logs (started, parts, metrics, terminal, seq)
    SELECT ?, ?, ?, ?, seq FROM tasks WHERE task_id = ? AND owner = ? AND changes() = 1`,
  partsForgotten: 'DELETE FROM parts WHERE seq = (SELECT seq FROM tasks WHERE task_id = ? AND owner = ?)',
  taskForgotten: 'DELETE FROM tasks WHERE task_id = ? AND owner = ? AND ended IS NOT NULL',
  artifactForgotten: 'DELETE FROM artifacts WHERE id = ? AND owner = ?',
  sessionPut: `INSERT INTO sessions (owner, session_id, created_at, expires_at, turns, budgets, spent) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET created_at = excluded.created_at, expires_at = excluded.expires_at, turns = excluded.turns,
    budgets = excluded.budgets, spent = excluded.spent WHERE excluded.created_at > created_at`,
  sessionRenewed: `UPDATE sessions SET created_at = ?, expires_at = ?, budgets = ?, spent = '${JSON.stringify(nothingSpent)}'
    WHERE owner = ? AND session_id = ?`,
  // Differences: what is there may be another than the daemon knows where a commit failed.
  sessionSpent: `UPDATE sessions SET turns = turns + ?, spent = json_object('tokens', (spent ->> 'tokens') + ?, 'cost_nano', (spent ->> 'cost_nano') + ?,
    'time_ms', (spent ->> 'time_ms') + ?), expires_at = iif(? > created_at, ?, expires_at), created_at = max(created_at, ?)
    WHERE owner = ? AND session_id = ?`,
  sessionDeleted: 'DELETE FROM sessions WHERE owner = ? AND session_id = ?',
  modelPut: 'INSERT INTO models (id, model) VALUES (?, ?) ON CONFLICT DO UPDATE SET model = excluded.model',
  modelDeleted: 'DELETE FROM models WHERE id = ?',
  keySpent: `INSERT INTO keys (owner, spent) VALUES (?, json_object('tokens', ?, 'cost_nano', ?, 'time_ms', ?)) ON CONFLICT DO UPDATE
    SET spent = json_object('tokens', (spent ->> 'tokens') + (excluded.spent ->> 'tokens'),
    'cost_nano', (spent ->> 'cost_nano') + (excluded.spent ->> 'cost_nano'), 'time_ms', (spent ->> 'time_ms') + (excluded.spent ->> 'time_ms'))`,
  poolPut: 'INSERT INTO pools (pool_id, pool) VALUES (?, ?) ON CONFLICT DO UPDATE SET pool = excluded.pool',
  artifact: `INSERT INTO artifacts (owner, id, kind, created_at, size_bytes, head, content) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  artifactTags: `INSERT INTO artifact_tags (owner, seq, tag)
    SELECT ?, last_insert_rowid(), value FROM json_each(?) WHERE changes() = 1`,

  filePut: `INSERT INTO files (owner, file_id, complete, purpose, record) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET complete = excluded.complete, record = excluded.record`,
  filePart: 'INSERT INTO file_parts (owner, file_id, part, text) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
  fileDeleted: 'DELETE FROM files WHERE owner = ? AND file_id = ?',
  batchPut: `INSERT INTO batches (owner, batch_id, is_over, record) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET is_over = excluded.is_over, record = excluded.record`,
  usageAdd: `INSERT INTO usage (owner, model_ref, day, tasks, tokens_in, tokens_in_cached, tokens_out, cost_nano, refusals)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks, tokens_in = tokens_in + excluded.tokens_in,
    tokens_in_cached = tokens_in_cached + excluded.tokens_in_cached, tokens_out = tokens_out + excluded.tokens_out,
    cost_nano = cost_nano + excluded.cost_nano, refusals = refusals + excluded.refusals`,

  fileGet: 'SELECT record FROM files WHERE owner = ? AND file_id = ?',
  fileList: `SELECT record FROM files INDEXED BY files_owner WHERE owner = ? AND complete = 1 AND purpose = coalesce(?, purpose)
    AND seq < coalesce((SELECT seq FROM files WHERE owner = ? AND file_id = ?), 9007199254740991) ORDER BY seq DESC LIMIT ?`,
  filesIncomplete: 'SELECT record FROM files INDEXED BY files_incomplete WHERE complete = 0',
  filePartGet: 'SELECT text FROM file_parts WHERE owner = ? AND file_id = ? AND part = ?',
  filePartsClear: `DELETE FROM file_parts WHERE rowid IN
    (SELECT rowid FROM file_parts INDEXED BY file_parts_key WHERE owner = ? AND file_id = ? ORDER BY part LIMIT ?)`,
  batchGet: 'SELECT record FROM batches WHERE owner = ? AND batch_id = ?',
  batchList: `SELECT record FROM batches INDEXED BY batches_owner WHERE owner = ?
    AND seq < coalesce((SELECT seq FROM batches WHERE owner = ? AND batch_id = ?), 9007199254740991) ORDER BY seq DESC LIMIT ?`,
  batchesUnfinished: 'SELECT record FROM batches INDEXED BY batches_unfinished WHERE is_over = 0 ORDER BY seq',
  usageList: `SELECT seq, owner, model_ref, day, tasks, tokens_in, tokens_in_cached, tokens_out, cost_nano, refusals FROM usage
    WHERE owner = coalesce(?, owner) AND day BETWEEN ? AND ? AND seq < ? ORDER BY seq DESC LIMIT ?`,

  find: 'SELECT seq, accepted, outcome FROM tasks JOIN requests USING (seq) WHERE task_id = ? AND owner = ?',
  look: 'SELECT seq, shown, outcome, pool_id FROM tasks WHERE task_id = ? AND owner = ?',
  listAmong: `SELECT seq, shown, outcome, pool_id FROM json_each(?) CROSS JOIN tasks ON task_id = value ->> 0 AND owner = value ->> 1
    WHERE ended IS NULL AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
  // By halving what is between the first and the last: times are in the order of `seq`, which has gaps.
  firstAccepted: `WITH RECURSIVE part (low, high, at) AS (
    SELECT (SELECT min(seq) FROM tasks), (SELECT max(seq) + 1 FROM tasks), ?
    UNION ALL SELECT iif(${middleIsLate}, low, (low + high) / 2 + 1), iif(${middleIsLate}, (low + high) / 2, high), at FROM part WHERE low < high)
    SELECT seq FROM tasks WHERE seq >= (SELECT low FROM part WHERE low = high) ORDER BY seq LIMIT 1`,
  idsLike: `SELECT count(*) FROM (SELECT 1 FROM tasks INDEXED BY tasks_key WHERE task_id >= ? AND task_id < ? LIMIT ${LOOKED_AT + 1})`,
  // One row a page: heads and attempts as JSON arrays, tasks as lines of JSON. A few large strings cost both threads far less than some
  // small ones for each task. Of a task that is large itself the line has the seq, so that a page is bounded. Most tasks have no attempts, and
  // cost a look into an index. The limit keeps the order of the subquery.
  unfinished: `SELECT max(seq), '[' || group_concat(head) || ']', '[' || group_concat(runs) || ']', group_concat(line, char(10)) FROM (
    SELECT seq, head, iif(octet_length(accepted) > 65536, seq, accepted) AS line,
      coalesce((SELECT json_array(count(*) - sum(withdrawn), replayable, max(attempt), recorded, json(runs)) FROM attempts a WHERE a.seq = t.seq GROUP BY a.seq), 'null') AS runs
    FROM tasks t INDEXED BY tasks_unfinished CROSS JOIN requests USING (seq) WHERE ended IS NULL AND seq > ? ORDER BY seq LIMIT ?)`,
  recorded: 'SELECT parts FROM parts WHERE seq = (SELECT seq FROM tasks WHERE task_id = ? AND owner = ?) ORDER BY first',
  acceptedText: 'SELECT accepted FROM requests WHERE seq = ?',
  readLog: `SELECT started, parts, metrics, terminal FROM logs
    WHERE seq = (SELECT seq FROM tasks WHERE task_id = ? AND owner = ?)`,
  // By order of acceptance the last task is the newest one.
  newest: `SELECT coalesce(max(at), 0) FROM (
    SELECT max(finished_at) AS at FROM tasks INDEXED BY tasks_finished WHERE finished_at IS NOT NULL
    UNION ALL SELECT shown ->> '$.accepted_at' FROM tasks WHERE seq = (SELECT max(seq) FROM tasks)
    UNION ALL SELECT max(created_at) FROM artifacts INDEXED BY artifacts_created
    UNION ALL SELECT max(created_at) FROM sessions)`,
  sessions: `SELECT owner, session_id, created_at, expires_at, turns, budgets, spent FROM sessions
    WHERE (owner, session_id) > (?, ?) ORDER BY owner, session_id LIMIT ?`,
  models: 'SELECT model FROM models',
  keys: 'SELECT owner, spent FROM keys',
  pools: 'SELECT pool FROM pools',
  stored: 'SELECT owner, bytes FROM stored WHERE bytes > 0',
  artifactGet: 'SELECT owner, id, created_at, size_bytes, seq, head, content FROM artifacts WHERE id = ? AND owner = ?',
  artifactLook: `SELECT ${shownArtifact} FROM artifacts a WHERE id = ? AND owner = ?`,

  purgeTasks: `DELETE FROM tasks WHERE seq IN
    (SELECT seq FROM tasks INDEXED BY tasks_finished WHERE finished_at < ? ORDER BY finished_at LIMIT ?)`,
  purgeArtifacts: `DELETE FROM artifacts WHERE seq IN
    (SELECT seq FROM artifacts INDEXED BY artifacts_created WHERE created_at < ? ORDER BY created_at LIMIT ?)`,
  freePages: 'PRAGMA freelist_count',
  giveBack: 'PRAGMA incremental_vacuum(256)',
  // The file itself shrinks only when the WAL is folded into it.
  fold: 'PRAGMA wal_checkpoint(TRUNCATE)',
} as const

// One list for every combination of filters.
const artifactLists = combinations(({ a: owner, b: kind, c: tag }) => {
  const index = kind ? (owner ? 'artifacts_owner_kind' : 'artifacts_kind') : owner ? 'artifacts_owner' : undefined
  if (tag)
    return `SELECT ${shownArtifact} FROM artifact_tags t ${indexedBy(owner ? 'artifact_tags_owner' : 'artifact_tags_any')}
      CROSS JOIN artifacts a ON a.seq = t.seq
      WHERE ${owner ? 't.owner = ? AND' : ''} ${kind ? 'a.kind = ? AND' : ''} t.tag = ? AND t.seq < ? ORDER BY t.seq DESC LIMIT ?`
  return `SELECT ${shownArtifact} FROM artifacts a ${indexedBy(index)}
    WHERE ${owner ? 'a.owner = ? AND' : ''} ${kind ? 'a.kind = ? AND' : ''} a.seq < ? ORDER BY a.seq DESC LIMIT ?`
})

function indexedBy(index: string | undefined): string {
  return index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`
}

function combinations(sql: (has: { a: boolean; b: boolean; c: boolean }) => string): string[] {
  return Array.from({ length: 8 }, (_, bits) => sql({ a: (bits & 1) !== 0, b: (bits & 2) !== 0, c: (bits & 4) !== 0 }))
}

const bitsOf = (a: unknown, b: unknown, c: unknown): number =>
  (a === undefined ? 0 : 1) + (b === undefined ? 0 : 2) + (c === undefined ? 0 : 4)

const names = Object.keys(SQL) as (keyof typeof SQL)[]

/** Every statement the adapter runs. */
export const STATEMENTS: readonly string[] = [...Object.values(SQL), ...artifactLists, ...TASK_LISTS]

/** How many parameters the statement of the same index takes. */
export const PARAM_COUNTS: readonly number[] = STATEMENTS.map((sql) => sql.split('?').length - 1)

/** Index of a named statement. */
export const S = Object.fromEntries(names.map((name, index) => [name, index])) as Readonly<Record<keyof typeof SQL, number>>

/** Index of the artifact list with these filters; its parameters are the given ones in this order, then `before_seq` and `limit`. */
export const artifactListStatement = (owner?: string, kind?: string, tag?: string): number => names.length + bitsOf(owner, kind, tag)

/** Index of a statement of `TASK_LISTS`. */
export const taskListStatement = (index: number): number => names.length + artifactLists.length + index

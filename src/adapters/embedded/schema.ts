import type { DatabaseSync } from 'node:sqlite'
import { FIRST } from './first-schema.ts'
import { addFrameFunctions } from './stored-frames.ts'

/** `PRAGMA application_id` of our files ("orcd"), so that another program's database is never taken for one of them. */
export const APPLICATION_ID = 0x6f726364

const SECOND = `
ALTER TABLE sessions ADD COLUMN budgets TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sessions ADD COLUMN spent TEXT NOT NULL DEFAULT '{"tokens":0,"cost_nano":0,"time_ms":0}';

ALTER TABLE attempts ADD COLUMN replayable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;

CREATE TABLE models (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  owner TEXT PRIMARY KEY,
  spent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
  pool_id TEXT PRIMARY KEY,
  pool TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

// What a queue has to know of a task, as a JSON array, until the task has ended: a start with a long queue need not take every request apart.
const THIRD = `
ALTER TABLE tasks ADD COLUMN head TEXT;
UPDATE tasks SET head = json_extract(accepted, '$.owner', '$.task_id', '$.request.session_id', '$.request.model_ref', '$.request.workload',
  '$.request.priority', '$.request.max_tokens', '$.request.expected_tokens', '$.request.deadline_ms', '$.prompt_tokens', '$.pool_id',
  '$.accepted_at') WHERE ended IS NULL;
`

// The event log held frames, ready to send to readers of one door; now it holds events, for every door to write in its own way.
const FOURTH = `
ALTER TABLE logs RENAME COLUMN tokens TO parts;
UPDATE logs SET started = data_of_frame(started), parts = lines_of_frames(parts), metrics = data_of_frame(metrics),
  terminal = terminal_of_frame(terminal);
`

// Parts of tasks that have not ended, where their engine can go on from text but does not give the same again.
const FIFTH = `
ALTER TABLE attempts ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;

CREATE TABLE parts (
  seq INTEGER NOT NULL REFERENCES tasks ON DELETE CASCADE,
  first INTEGER NOT NULL,
  parts TEXT NOT NULL,
  PRIMARY KEY (seq, first)
) STRICT, WITHOUT ROWID;
`

// Contents stand apart from what is known of a file, so that a list does not read them. Usage is one row for each key, model and day.
const SIXTH = `
CREATE TABLE files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  file_id TEXT NOT NULL,
  complete INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX files_key ON files (owner, file_id);
CREATE INDEX files_owner ON files (owner, complete);
CREATE INDEX files_incomplete ON files (complete) WHERE complete = 0;

CREATE TABLE file_parts (
  owner TEXT NOT NULL,
  file_id TEXT NOT NULL,
  part INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX file_parts_key ON file_parts (owner, file_id, part);

CREATE TABLE batches (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  is_over INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX batches_key ON batches (owner, batch_id);
CREATE INDEX batches_owner ON batches (owner);
CREATE INDEX batches_unfinished ON batches (is_over) WHERE is_over = 0;

CREATE TABLE usage (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  model_ref TEXT NOT NULL,
  day TEXT NOT NULL,
  tasks INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_in_cached INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  refusals INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX usage_key ON usage (owner, day, model_ref);
`

// Whole requests stand apart from the facts that name them: a list, an end or a start that only looks at tasks does not touch their prompts.
const SEVENTH = `
CREATE TABLE requests (
  seq INTEGER PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  accepted TEXT NOT NULL
) STRICT;
INSERT INTO requests (seq, accepted) SELECT seq, accepted FROM tasks;

ALTER TABLE tasks ADD COLUMN shown TEXT NOT NULL DEFAULT '';
UPDATE tasks SET shown = json_object('owner', owner, 'task_id', task_id, 'seed', accepted ->> '$.seed', 'pool_id', accepted ->> '$.pool_id',
  'accepted_at', accepted ->> '$.accepted_at', 'queue_position', accepted ->> '$.queue_position',
  'predicted_start_ms', accepted ->> '$.predicted_start_ms', 'backoff_ms', accepted ->> '$.backoff_ms',
  'request', json_patch('{}', json_object('session_id', session_id, 'workload', accepted ->> '$.request.workload',
    'model_ref', accepted ->> '$.request.model_ref', 'engine', accepted ->> '$.request.engine', 'priority', accepted ->> '$.request.priority',
    'metadata', accepted -> '$.request.metadata')));
ALTER TABLE tasks DROP COLUMN accepted;
CREATE INDEX tasks_owner_unfinished ON tasks (owner) WHERE ended IS NULL;
`

// What each owner has stored is a sum that every way in and out keeps: to add it up takes as long as there are artifacts.
const EIGHTH = `
CREATE TABLE stored (
  owner TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stored SELECT owner, sum(bytes) FROM (
  SELECT owner, size_bytes AS bytes FROM artifacts UNION ALL SELECT owner, octet_length(text) FROM file_parts) GROUP BY owner;

CREATE TRIGGER artifact_stored AFTER INSERT ON artifacts BEGIN
  INSERT INTO stored VALUES (NEW.owner, NEW.size_bytes) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER artifact_gone AFTER DELETE ON artifacts BEGIN
  UPDATE stored SET bytes = bytes - OLD.size_bytes WHERE owner = OLD.owner;
END;
CREATE TRIGGER file_part_stored AFTER INSERT ON file_parts BEGIN
  INSERT INTO stored VALUES (NEW.owner, octet_length(NEW.text)) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER file_part_changed AFTER UPDATE ON file_parts BEGIN
  UPDATE stored SET bytes = bytes - octet_length(OLD.text) + octet_length(NEW.text) WHERE owner = NEW.owner;
END;
CREATE TRIGGER file_part_gone AFTER DELETE ON file_parts BEGIN
  UPDATE stored SET bytes = bytes - octet_length(OLD.text) WHERE owner = OLD.owner;
END;
`

// What is told of the runs of a task that has not ended, in the row of the newest; when it has ended that is a part of its outcome.
const NINTH = `
ALTER TABLE attempts ADD COLUMN runs TEXT NOT NULL DEFAULT '[]';
`

// What tasks are listed by. `pool_id` is where a task is, or was when it ended. `accepted_at` never goes back with `seq`, whatever was done to the
// clock, so that a time is a place in the order of acceptance.
const TENTH = `
ALTER TABLE tasks ADD COLUMN pool_id TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN accepted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN code TEXT;
UPDATE tasks SET pool_id = shown ->> '$.pool_id', accepted_at = cast(highest AS INTEGER), code = outcome ->> '$.error.code'
  FROM (SELECT seq AS at, max(shown ->> '$.accepted_at') OVER (ORDER BY seq) AS highest FROM tasks) WHERE seq = at;
CREATE INDEX tasks_pool ON tasks (pool_id);
CREATE INDEX tasks_owner_pool ON tasks (owner, pool_id);
CREATE INDEX tasks_accepted ON tasks (accepted_at);
CREATE INDEX tasks_code ON tasks (code) WHERE code IS NOT NULL;
CREATE INDEX tasks_owner_code ON tasks (owner, code) WHERE code IS NOT NULL;
`

// Times are in the order of `seq`, so that a time is found by halving; an index of them would cost every admission.
const ELEVENTH = 'DROP INDEX tasks_accepted;'

/** Entry n brings a file from `user_version` n to n + 1. Entries are appended, never changed: files in the field have run them. */
const MIGRATIONS: readonly string[] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH, TENTH, ELEVENTH]

/** The `user_version` this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Brings the database from `version` to the current schema: wholly or, if it throws, not at all. */
export function migrate(db: DatabaseSync, version: number): void {
  if (version === SCHEMA_VERSION) return
  if (version < 4) addFrameFunctions(db)
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const migration of MIGRATIONS.slice(version)) db.exec(migration)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

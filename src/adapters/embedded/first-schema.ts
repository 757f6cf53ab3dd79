// Columns hold what is filtered or ordered on, JSON text the rest.
// Large columns come last: what stands before them is read without their overflow pages.
// Every index ends in the rowid (seq), so "newest first" within an index is a walk, not a sort.
// What only finished tasks need is in partial indexes, which cost an admission nothing.
/** The schema that the first version wrote. */
export const FIRST = `
CREATE TABLE tasks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  task_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  ended TEXT,
  finished_at INTEGER,
  outcome TEXT,
  accepted TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tasks_key ON tasks (task_id, owner);
CREATE INDEX tasks_owner ON tasks (owner);
CREATE INDEX tasks_session ON tasks (session_id, owner);
CREATE INDEX tasks_unfinished ON tasks (ended) WHERE ended IS NULL;
CREATE INDEX tasks_ended ON tasks (ended) WHERE ended IS NOT NULL;
CREATE INDEX tasks_owner_ended ON tasks (owner, ended) WHERE ended IS NOT NULL;
CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE attempts (
  seq INTEGER NOT NULL REFERENCES tasks ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  replica_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
  seq INTEGER PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  started TEXT NOT NULL,
  metrics TEXT NOT NULL,
  terminal TEXT NOT NULL,
  tokens TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  owner TEXT NOT NULL,
  session_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  turns INTEGER NOT NULL,
  PRIMARY KEY (owner, session_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  head TEXT NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifacts_key ON artifacts (id, owner);
CREATE INDEX artifacts_owner ON artifacts (owner);
CREATE INDEX artifacts_owner_kind ON artifacts (owner, kind);
CREATE INDEX artifacts_kind ON artifacts (kind);
CREATE INDEX artifacts_created ON artifacts (created_at);

CREATE TABLE artifact_tags (
  seq INTEGER NOT NULL REFERENCES artifacts ON DELETE CASCADE,
  tag TEXT NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (seq, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_tags_owner ON artifact_tags (tag, owner, seq);
CREATE INDEX artifact_tags_any ON artifact_tags (tag, seq);
`

// Imported by a daemon before its own code (`node --import`): the disk under its database fails at random, as `DISK_FAULTS` says: `seed`.
// What node:sqlite throws then is what it throws where write(2) or fsync(2) fail, and SQLite rolls back as it does there. A daemon that is
// killed behind a sync that it has not been told of finds the transaction after its restart.

import { DatabaseSync, StatementSync, type SQLInputValue } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'
import { random } from './random.ts'

/** SQLite's extended result codes, and of how many transactions this comes. */
const faults = [
  { errcode: 13, message: 'database or disk is full', share: 0.04 },
  { errcode: 778, message: 'disk I/O error', share: 0.06 },
  // The sync of a commit.
  { errcode: 1034, message: 'disk I/O error', share: 0.08 },
] as const
const killed = { before: 0.002, behind: 0.006 }

type Plan = { readonly fault: (typeof faults)[number]; at: number } | { readonly kill: 'before' | 'behind' } | undefined

/** What becomes of the next transaction. */
function planned(next: () => number): Plan {
  let draw = next()
  for (const kill of ['before', 'behind'] as const) if ((draw -= killed[kill]) < 0) return { kill }
  // Any statement of it, from its BEGIN on; where it has fewer, its COMMIT.
  for (const fault of faults)
    if ((draw -= fault.share) < 0) return { fault, at: fault.errcode === 1034 ? Infinity : Math.floor(next() * 8) }
  return undefined
}

function install(next: () => number): void {
  const owners = new WeakMap<StatementSync, DatabaseSync>()
  const { prepare } = DatabaseSync.prototype as { prepare: (this: DatabaseSync, sql: string) => StatementSync }
  const { run } = StatementSync.prototype as { run: (this: StatementSync, ...params: SQLInputValue[]) => unknown }
  let plan: Plan
  Object.assign(DatabaseSync.prototype, {
    prepare(this: DatabaseSync, sql: string) {
      const statement = prepare.call(this, sql)
      owners.set(statement, this)
      return statement
    },
  })
  Object.assign(StatementSync.prototype, {
    run(this: StatementSync, ...params: SQLInputValue[]) {
      const db = owners.get(this)
      const commits = this.sourceSQL === 'COMMIT'
      if (this.sourceSQL === 'BEGIN IMMEDIATE') plan = planned(next)
      if (plan !== undefined && 'fault' in plan && (commits || plan.at-- <= 0)) {
        const { errcode, message } = plan.fault
        plan = undefined
        // A commit that cannot be synced is rolled back, and so may be what cannot be written.
        if (db?.isTransaction === true && (commits || next() < 0.5)) db.exec('ROLLBACK')
        throw Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })
      }
      const kill = commits && plan !== undefined && 'kill' in plan ? plan.kill : undefined
      if (kill === 'before') process.kill(process.pid, 'SIGKILL')
      const changes = run.apply(this, params)
      if (kill === 'behind') process.kill(process.pid, 'SIGKILL')
      return changes
    },
  })
}

const seed = process.env['DISK_FAULTS']
// The storage has a thread of its own.
if (seed !== undefined && !isMainThread) install(random(Number(seed)))

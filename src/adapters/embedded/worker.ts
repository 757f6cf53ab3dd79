import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from './open-database.ts'
import { errcodeOf, failureOf } from './protocol.ts'
import type { CommitFailure, FromWorker, Param, Row, ToWorker, WorkerInput } from './protocol.ts'
import { PARAM_COUNTS, S, STATEMENTS } from './statements.ts'

const TOO_BIG = 18
const CONSTRAINT = 19

/** Whether the values are to blame (SQLite's limits and constraints, a type it cannot bind) rather than the disk. */
function isOwnFault(error: unknown): boolean {
  const errcode = errcodeOf(error)
  return errcode === undefined || (errcode & 0xff) === TOO_BIG || (errcode & 0xff) === CONSTRAINT
}

/** The database and its prepared statements. */
class Database {
  private readonly db: DatabaseSync
  private readonly statements: readonly StatementSync[]
  private readonly begin: StatementSync
  private readonly end: StatementSync

  constructor(db: DatabaseSync) {
    this.db = db
    this.statements = STATEMENTS.map((sql) => db.prepare(sql))
    this.begin = db.prepare('BEGIN IMMEDIATE')
    this.end = db.prepare('COMMIT')
  }

  /** Runs a batch as one transaction and returns which commits are not in it. */
  batch(ops: readonly Param[], ends: readonly number[]): readonly CommitFailure[] {
    const duplicates: CommitFailure[] = []
    try {
      this.begin.run()
      let start = 0
      for (const [index, end] of ends.entries()) {
        if (!this.apply(ops, start, end)) duplicates.push([index, 'duplicate'])
        start = end
      }
      this.end.run()
      return duplicates
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      // A commit that can never be written must not take its neighbours with it: each on its own, then.
      if (ends.length > 1 && isOwnFault(error)) return this.oneByOne(ops, ends)
      const failure = failureOf(error)
      return ends.map((_, index) => [index, failure])
    }
  }

  /** Rows of a reading statement. */
  all(statement: number, params: readonly Param[]): readonly Row[] {
    return this.at(statement).all(...params) as unknown as Row[]
  }

  /** Number of rows a statement changed in a transaction of its own. */
  run(statement: number, params: readonly Param[]): number {
    return Number(this.at(statement).run(...params).changes)
  }

  /** Folds the WAL into the file and lets go of it. */
  close(): void {
    this.db.close()
  }

  private oneByOne(ops: readonly Param[], ends: readonly number[]): readonly CommitFailure[] {
    return ends.flatMap((end, index) => {
      const commit = ops.slice(index === 0 ? 0 : ends[index - 1], end)
      return this.batch(commit, [commit.length]).map(([, why]): CommitFailure => [index, why])
    })
  }

  /** Returns whether the commit was written; if not, nothing of it was. */
  private apply(ops: readonly Param[], start: number, end: number): boolean {
    // Acceptances come first, so a duplicate shows before anything was written: only a second acceptance, and one after what it replaces, can
    // leave something to undo.
    const second = start + 2 + this.paramCount(S.accepted) + this.paramCount(S.request)
    const accepts = (at: number): boolean => at < end && (ops[at] === S.accepted || ops[at] === S.taskForgotten)
    const one = ops[start] === S.accepted && !accepts(second)
    if (one || !accepts(start)) return this.steps(ops, start, end)
    this.db.exec('SAVEPOINT one')
    const written = this.steps(ops, start, end)
    this.db.exec(written ? 'RELEASE one' : 'ROLLBACK TO one; RELEASE one')
    return written
  }

  private steps(ops: readonly Param[], start: number, end: number): boolean {
    let at = start
    while (at < end) {
      const statement = Number(ops[at])
      const next = at + 1 + this.paramCount(statement)
      const { changes } = this.at(statement).run(...ops.slice(at + 1, next))
      if (statement === S.accepted && changes === 0) return false
      at = next
    }
    return true
  }

  private at(statement: number): StatementSync {
    const found = this.statements[statement]
    if (found === undefined) throw new RangeError(`no statement ${statement}`)
    return found
  }

  private paramCount(statement: number): number {
    return PARAM_COUNTS[statement] ?? 0
  }
}

function answer(database: Database, message: ToWorker): FromWorker {
  switch (message[0]) {
    case 'batch':
      return ['batch', database.batch(message[1], message[2])]
    case 'close':
      try {
        database.close()
        return ['closed', undefined]
      } catch (error) {
        return ['closed', failureOf(error)]
      }
    default: {
      const [op, id, statement, params] = message
      try {
        return op === 'all' ? ['rows', id, database.all(statement, params)] : ['changes', id, database.run(statement, params)]
      } catch (error) {
        return ['failed', id, failureOf(error)]
      }
    }
  }
}

function main(): void {
  const port = parentPort
  if (port === null) throw new Error('runs as a worker only')
  const reply = (messages: readonly FromWorker[]): void => port.postMessage(messages)
  let database: Database
  try {
    database = new Database(openDatabase(workerData as WorkerInput))
  } catch (error) {
    reply([['refused', failureOf(error)]])
    return
  }
  port.on('message', (messages: readonly ToWorker[]) => {
    let answers: FromWorker[] = []
    for (const message of messages) {
      answers.push(answer(database, message))
      // Who waits for a commit does not wait for the reads behind it.
      if (message[0] !== 'batch') continue
      reply(answers)
      answers = []
    }
    if (answers.length > 0) reply(answers)
    if (messages.at(-1)?.[0] === 'close') port.close()
  })
  reply([['opened']])
}

main()

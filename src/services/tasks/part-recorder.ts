import { encodePart, type EncodedPart, type Part } from '../../domain/stream/part.ts'
import type { Fact } from '../../ports/journal.ts'
import { commitPatiently, type CommitParts } from './commit-patiently.ts'
import type { LiveTask } from './live-task.ts'

/** Most that the journal keeps of one task that runs, characters of JSON; what comes after it goes out unrecorded. */
const most_chars = 4 * 1024 * 1024

/** What is not durable yet of one task. */
interface Waiting {
  parts: Part[]
  /** Resolves when all of it is out. */
  readonly out: PromiseWithResolvers<undefined>
}

/**
 * Parts of answers that are in the journal before they go out. One commit for all tasks is on its way at a time, and what comes meanwhile is the
 * next one, so that a token costs no commit of its own.
 */
export class PartRecorder {
  private readonly parts: CommitParts
  private next = new Map<LiveTask, Waiting>()
  private writing: ReadonlyMap<LiveTask, Waiting> = new Map()
  private busy = false
  /** How much of each task is recorded, characters. */
  private readonly recorded = new WeakMap<LiveTask, number>()

  constructor(parts: CommitParts) {
    this.parts = parts
  }

  /** Gives a part out as soon as it is durable. */
  record(task: LiveTask, part: Part): void {
    const waiting = this.next.get(task)
    if (waiting !== undefined) {
      waiting.parts.push(part)
      return
    }
    this.next.set(task, { parts: [part], out: Promise.withResolvers() })
    if (this.busy) return
    this.busy = true
    // What else comes with this one belongs to the same commit.
    queueMicrotask(() => void this.write())
  }

  /** Resolves when everything that was recorded of the task is out. */
  async drained(task: LiveTask): Promise<void> {
    await Promise.all([this.writing.get(task)?.out.promise, this.next.get(task)?.out.promise])
  }

  /** The task ends without what is not out yet. */
  drop(task: LiveTask): void {
    this.next.get(task)?.out.resolve(undefined)
    this.next.delete(task)
  }

  /** What is out already of a task whose next run is the first that is recorded. */
  catchUp(task: LiveTask): readonly Fact[] {
    if (task.runs.recorded || task.log.partCount === 0) return []
    return this.factOf(task, 0, Array.from(task.log.allParts(), encodePart))
  }

  private async write(): Promise<void> {
    while (this.next.size > 0) {
      const writing = (this.writing = this.next)
      this.next = new Map()
      const facts: Fact[] = []
      for (const [task, { parts }] of writing) facts.push(...this.factOf(task, task.log.partCount, parts.map(encodePart)))
      if (facts.length > 0) await commitPatiently(() => facts, 'Parts of running tasks cannot be written; their readers wait.', this.parts)
      for (const [task, { parts, out }] of writing) {
        for (const part of parts) task.log.append(part)
        out.resolve(undefined)
      }
    }
    this.writing = new Map()
    this.busy = false
  }

  /** A line of parts; where that would be too much the mark that more went out, once. */
  private factOf(task: LiveTask, first: number, parts: readonly EncodedPart[]): readonly Fact[] {
    const before = this.recorded.get(task) ?? 0
    if (before > most_chars) return []
    const line = JSON.stringify(parts)
    const after = before + line.length
    this.recorded.set(task, after)
    if (after > most_chars) task.runs.complete = false
    return [{ kind: 'parts', key: task.key, first, parts: after > most_chars ? '' : line }]
  }
}

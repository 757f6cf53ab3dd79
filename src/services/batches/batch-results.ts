import { withLine, type BatchRecord } from '../../domain/batches/batch.ts'
import type { FileRecord } from '../../domain/batches/file.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Files } from './files.ts'

/** Pause before results that could not be written are tried again, ms. */
const retry_ms = 1000

/** What a line came to. */
export interface LineResult {
  /** From 0. */
  readonly line: number
  readonly outcome: 'completed' | 'failed'
  /** What is written for it, without its end. */
  readonly text: string
}

/** What the results of a batch are written with. */
export interface ResultsParts {
  readonly journal: Pick<Journal, 'commit'>
  readonly files: Pick<Files, 'record'>
  readonly clock: Clock
  /** Something could not be written, and is tried again. */
  readonly onFailure: (error: unknown) => void
}

type Change = (batch: BatchRecord) => BatchRecord

/** Something to be written: a result, or a change of the batch. */
interface Step {
  readonly result?: LineResult
  readonly change?: Change
}

/** Files of a batch by what they hold. */
type Outputs = Record<'completed' | 'failed', FileRecord | undefined>

/**
 * The results of a batch on their way to its files. A line is done in the same transaction in which its result is appended, so a crash
 * loses none and writes none twice; what comes while one transaction is under way goes into the next together.
 */
export class BatchResults {
  private readonly parts: ResultsParts
  private readonly outputs: Outputs
  private current: BatchRecord
  private due: (Step & { readonly resolve: () => void })[] = []
  private writing = false
  private stopped = false
  private cancelRetry: CancelTimer = () => undefined

  /** @param outputs files that the batch has already */
  constructor(batch: BatchRecord, outputs: Outputs, parts: ResultsParts) {
    this.current = batch
    this.outputs = outputs
    this.parts = parts
  }

  /** The batch as it is durable. */
  get batch(): BatchRecord {
    return this.current
  }

  /** Resolves when the result is durable. */
  add(result: LineResult): Promise<void> {
    return this.enqueue({ result })
  }

  /** Changes the batch itself, after the results that were added before. Resolves when that is durable. */
  change(to: Change): Promise<void> {
    return this.enqueue({ change: to })
  }

  /** Writes nothing more: what is not durable is found again by the next start. */
  stop(): void {
    this.stopped = true
    this.cancelRetry()
    for (const { resolve } of this.due.splice(0)) resolve()
  }

  private enqueue(step: Step): Promise<void> {
    if (this.stopped) return Promise.resolve()
    return new Promise((resolve) => {
      this.due.push({ ...step, resolve })
      this.writeSoon()
    })
  }

  private writeSoon(): void {
    if (this.writing || this.due.length === 0) return
    this.writing = true
    const due = this.due
    this.due = []
    this.write(due).then(
      () => {
        for (const { resolve } of due) resolve()
        this.writing = false
        this.writeSoon()
      },
      (error: unknown) => {
        this.parts.onFailure(error)
        this.due = [...due, ...this.due]
        if (this.stopped) {
          this.stop()
          return
        }
        this.cancelRetry = this.parts.clock.after(retry_ms, () => {
          this.writing = false
          this.writeSoon()
        })
      },
    )
  }

  private async write(steps: readonly Step[]): Promise<void> {
    const results = steps.flatMap(({ result = [] }) => result)
    const facts: Fact[] = []
    const files: Outputs = { ...this.outputs }
    for (const outcome of ['completed', 'failed'] as const) {
      const text = results.flatMap((result) => (result.outcome === outcome ? [`${result.text}\n`] : [])).join('')
      if (text === '') continue
      const { owner, batch_id } = this.current
      const name = `${batch_id}_${outcome === 'completed' ? 'output' : 'error'}.jsonl`
      const file = files[outcome] ?? this.parts.files.record(owner, 'batch_output', name)
      facts.push({ kind: 'file_part', part: { owner, file_id: file.file_id, part: file.parts, text } })
      files[outcome] = { ...file, bytes: file.bytes + Buffer.byteLength(text), parts: file.parts + 1, state: 'complete' }
    }
    for (const file of Object.values(files)) if (file !== undefined) facts.push({ kind: 'file_put', file })
    const written = results.reduce((batch, { line, outcome }) => withLine(batch, line, outcome), this.current)
    const { completed, failed } = files
    const named = { ...written, output_file_id: completed?.file_id ?? null, error_file_id: failed?.file_id ?? null }
    const batch = steps.reduce((to, { change }) => change?.(to) ?? to, named)
    await this.parts.journal.commit([...facts, { kind: 'batch_put', batch }])
    this.current = batch
    Object.assign(this.outputs, files)
  }
}

import assert from 'node:assert/strict'
import type { GenerateResult } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { inTime } from '../../harness/wait.ts'
import { Bench, type EngineKit } from './engine-bench.ts'
import { EngineServer, type EngineCall } from './engine-server.ts'
import { kits } from './kits.ts'
import { misbehaviours, textWithFox, whole, type Misbehaviour, type Outcome } from './misbehaviours.ts'

/** One engine that is up, in front of one server: a cell of the table. */
class Cell {
  readonly server: EngineServer
  readonly bench: Bench
  private readonly kit: EngineKit
  private readonly later = Promise.withResolvers<undefined>()
  private readonly calls: EngineCall[] = []
  /** What the server still does for them. */
  private readonly acts: Promise<void>[] = []

  private constructor(kit: EngineKit, server: EngineServer) {
    this.kit = kit
    this.server = server
    this.bench = new Bench(kit, server)
  }

  static async start(kit: EngineKit): Promise<Cell> {
    const cell = new Cell(kit, await EngineServer.start())
    await cell.bench.start()
    return cell
  }

  /** The server answers in this way from now on. */
  answers(act: Misbehaviour['act']): void {
    const { kit, server, calls, acts } = this
    server.on(kit.route, (call) => {
      calls.push(call)
      acts.push(Promise.resolve(act({ kit, server, call, times: calls.length, later: this.later.promise })))
    })
  }

  /** A call comes to the declared outcome. */
  async comesTo(outcome: Outcome, calls = 1): Promise<void> {
    const { bench } = this
    const stop = new AbortController()
    const run = bench.run(stop.signal)
    // What it comes to is looked at further down.
    run.catch(() => undefined)
    await this.called(1)
    if (outcome === 'answer') return this.inTime(run)
    if (outcome === 'half an answer') return this.half(await run)
    if (outcome === 'silence') return this.silent(run, stop)
    if ('again_ms' in outcome) return this.again(run, outcome.again_ms)
    if ('gives_up' in outcome) return this.givesUp(run, outcome.gives_up)
    if ('down' in outcome) return this.goesDown(run, outcome.down)
    await bench.fails(run, true, outcome.fails)
    assert.equal(this.calls.length, calls, 'calls that the server got')
  }

  /** Of calls that came to no end on their connection, that is closed: nothing runs on for nobody. */
  async leavesNothing(): Promise<void> {
    // A run may be over before the server has ended the body.
    await Promise.all(this.acts)
    await Promise.all(this.calls.filter(({ ended }) => !ended).map(({ closed }) => closed))
  }

  /** The engine is none the worse for what has been. */
  async goesOn(): Promise<void> {
    this.bench.parts.length = 0
    this.answers(whole)
    await this.answered(this.bench.run())
    assert.equal(this.bench.downs.length, 0)
  }

  async stop(): Promise<void> {
    await this.bench.engine.stop()
    await this.server.until(() => this.server.sockets.size === 0)
    await this.server.stop()
    assert.equal(this.bench.clock.pending, 0)
  }

  private async called(times: number): Promise<void> {
    await this.server.until(() => this.calls.length >= times)
    for (let i = 0; i < 20; i++) await settled()
  }

  private async answered(run: Promise<GenerateResult>): Promise<void> {
    const result = await run
    assert.equal(this.bench.text, textWithFox(this.kit))
    for (const [field, value] of Object.entries(this.kit.result)) assert.deepEqual(result[field as keyof GenerateResult], value, field)
  }

  private async inTime(run: Promise<GenerateResult>): Promise<void> {
    await this.bench.clock.advance(1000)
    this.later.resolve(undefined)
    await this.answered(run)
  }

  private half({ tokens_out }: GenerateResult): void {
    const { text } = this.bench
    assert.ok(tokens_out > 0 && text !== '' && this.kit.text.startsWith(text), text)
  }

  private async silent(run: Promise<GenerateResult>, stop: AbortController): Promise<void> {
    const reason = new Error('the watchdog has had enough')
    stop.abort(reason)
    await assert.rejects(run, reason)
  }

  private async again(run: Promise<GenerateResult>, wait_ms: number): Promise<void> {
    await this.bench.clock.advance(wait_ms - 1)
    assert.equal(this.calls.length, 1)
    await this.bench.clock.advance(1)
    await inTime(this.called(2), `the server to be asked again after ${wait_ms} ms`)
    await this.answered(run)
  }

  private async goesDown(run: Promise<GenerateResult>, message: RegExp): Promise<void> {
    const { bench } = this
    for (let asked = 0; asked < 50 && bench.downs.length === 0; asked++) await bench.clock.advance(2000)
    await bench.fails(run, true, message)
    assert.equal(bench.downs.length, 1)
  }

  private async givesUp(run: Promise<GenerateResult>, message: RegExp): Promise<void> {
    for (let times = 2; times <= 5; times++) {
      await this.bench.clock.advance(4000)
      await this.called(times)
    }
    await this.bench.fails(run, true, message)
    assert.equal(this.calls.length, 5)
  }
}

for (const kit of Object.values(kits))
  describe(`${kit.engine}, ${kit.workload}: a server that misbehaves`, () => {
    let cell: Cell
    beforeEach(async () => {
      cell = await Cell.start(kit)
    })
    afterEach(() => cell.stop())

    for (const { what, act, outcome, except, calls } of misbehaviours)
      it(what, async () => {
        const declared = except?.[kit.engine] ?? outcome
        cell.answers(act)
        await cell.comesTo(declared, calls)
        await cell.leavesNothing()
        if (typeof declared === 'string' || !('down' in declared)) await cell.goesOn()
      })
  })

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gate, Kind } from '../../scripts/verify/gates.ts'
import type { Outcome } from '../../scripts/verify/outcome.ts'
import { runAll } from '../../scripts/verify/run.ts'
import { temporaryDir } from '../harness/process.ts'

describe('the outcome of a gate', () => {
  let dir: ReturnType<typeof temporaryDir>
  beforeEach(() => {
    dir = temporaryDir()
    mkdirSync(join(dir.path, 'reports'))
  })
  afterEach(() => dir.remove())

  const gate = (kind: Kind, script: string, fields: Partial<Gate> = {}): Gate => {
    writeFileSync(join(dir.path, 'gate.cjs'), script)
    return { name: kind, kind, command: 'node gate.cjs', alone: `npm run ${kind}`, env: {}, ...fields }
  }
  async function outcomeOf(one: Gate): Promise<Outcome> {
    const [outcome, ...others] = await runAll({ root: dir.path, reports: join(dir.path, 'reports') }, [one], 2, () => undefined)
    assert.ok(outcome !== undefined && others.length === 0)
    return outcome
  }
  /** A runner that writes its report where it is told, and ends with a status. */
  const reporting = (text: string, status: number, printed = ''): string => `
    const file = process.argv.at(-1).replace(/^(output=|rerun:)/, '')
    require('node:fs').writeFileSync(file, ${JSON.stringify(text)})
    console.log(${JSON.stringify(printed)})
    process.exitCode = ${status}`

  it('of a check is one, with all it printed', async () => {
    const passed = await outcomeOf(gate('check', ''))
    assert.deepEqual([passed.passed, passed.failures], [1, []])
    const failed = await outcomeOf(gate('check', 'console.log("here"); console.error("there"); process.exitCode = 3'))
    assert.deepEqual([failed.passed, failed.failures], [0, [{ what: 'check', alone: 'npm run check' }]])
    assert.match(failed.output, /here/)
    assert.match(failed.output, /there/)
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const told = await outcomeOf(gate('check', 'process.exitCode = process.env.TEST_LONG === "1" ? 0 : 1', { env: { TEST_LONG: '1' } }))
    assert.equal(told.passed, 1)
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`)
  })

  it('of mocha counts its tests, and names the file of each that failed', async () => {
    const report = {
      passes: [{ fullTitle: 'a' }, { fullTitle: 'b' }],
      pending: [],
      failures: [{ fullTitle: 'c', file: join(dir.path, 'test/c.test.ts'), err: { message: 'no', stack: 'Error: no\n at c' } }],
    }
    const outcome = await outcomeOf(gate('mocha', reporting(JSON.stringify(report), 1)))
    assert.deepEqual([outcome.passed, outcome.failures], [2, [{ what: 'c', alone: 'npm run mocha -- test/c.test.ts' }]])
    assert.match(outcome.output, /Error: no\n at c/)
    const long = await outcomeOf(gate('mocha', reporting(JSON.stringify(report), 1), { env: { TEST_LONG: '1' } }))
    assert.equal(long.failures[0]?.alone, 'TEST_LONG=1 npm run mocha -- test/c.test.ts')
  })

  it('of mocha says which suites were skipped, and nothing else need have run', async () => {
    const pending = [{ title: 'd', fullTitle: 'a suite (not installed) d' }]
    const outcome = await outcomeOf(gate('mocha', reporting(JSON.stringify({ passes: [], failures: [], pending }), 0)))
    assert.deepEqual([outcome.passed, outcome.failures, outcome.skipped], [0, [], ['a suite (not installed)']])
  })

  it('of a runner that dies, names no failure or runs nothing is a failure', async () => {
    const failed = [{ what: 'mocha', alone: 'npm run mocha' }]
    assert.deepEqual((await outcomeOf(gate('mocha', 'process.kill(process.pid, "SIGKILL")'))).failures, failed)
    assert.deepEqual(
      (await outcomeOf(gate('mocha', reporting('{"passes":[{"fullTitle":"a"}],"failures":[],"pending":[]}', 1)))).failures,
      failed,
    )
    assert.deepEqual((await outcomeOf(gate('mocha', reporting('{"passes":[],"failures":[],"pending":[]}', 0)))).failures, failed)
    assert.equal((await outcomeOf(gate('cucumber', reporting('', 0, '0 scenarios')))).failures.length, 1)
  })

  it('of a runner that goes on after its report is a failure', async () => {
    const late = `
      const file = process.argv.at(-1).replace('output=', '')
      require('node:fs').writeFileSync(file, '{"passes":[{"fullTitle":"a"}],"failures":[],"pending":[]}')
      require('node:fs').utimesSync(file, 1, 1)
      setTimeout(() => undefined, 3_600_000)`
    assert.deepEqual((await outcomeOf(gate('mocha', late))).failures, [
      { what: 'mocha: what a test left behind kept its runner from ending', alone: 'npm run mocha' },
    ])
  })

  it('of cucumber-js counts its scenarios, and names the line of each that failed', async () => {
    const passed = await outcomeOf(gate('cucumber', reporting('', 0, '3 scenarios (3 passed)')))
    assert.deepEqual([passed.passed, passed.failures], [3, []])
    const failed = await outcomeOf(
      gate('cucumber', reporting('a.feature:3:17\nb.feature:5', 1, '5 scenarios (2 failed, 1 undefined, 2 passed)')),
    )
    assert.equal(failed.passed, 2)
    assert.deepEqual(
      failed.failures.map(({ alone }) => alone),
      ['a.feature:3', 'a.feature:17', 'b.feature:5'].map((place) => `npm run cucumber -- ${place}`),
    )
  })
})

import assert from 'node:assert/strict'
import { withResults } from '../../bench/results.ts'

describe('the document of the benches', () => {
  const run = (value: number) => ({
    section: { title: 'What it is', rows: [{ figure: 'a', value }], goals: [{ figure: 'a', value, goal: 'at most 3', met: value <= 3 }] },
    machine: '2 x CPU, 24 GiB',
    date: '2026-11-27',
  })
  const order = ['first', 'second', 'third']
  const both = withResults('# Results\n', new Map(Object.entries({ third: run(2), first: run(4) })), order)

  it('has the sections in order, with their day, their machine and what they missed', () => {
    assert.deepEqual(both.match(/^## .*$/gm), ['## first', '## third'])
    assert.ok(both.includes('2026-11-27, on 2 x CPU, 24 GiB.\n\nWhat it is\n\n| figure | value |'), both)
    assert.ok(both.includes('| a | 4 | at most 3 | **no** |'), both)
  })

  it('keeps what was not run, and has nothing twice', () => {
    assert.equal(withResults(both, new Map(), order), both)
    const again = withResults(both, new Map(Object.entries({ first: run(3), second: run(5) })), order)
    assert.deepEqual(again.match(/^## .*$/gm), ['## first', '## second', '## third'])
    assert.ok(!again.includes('| a | 4 |') && again.endsWith(both.slice(both.indexOf('## third'))), again)
  })
})

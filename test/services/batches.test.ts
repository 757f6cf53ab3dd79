import assert from 'node:assert/strict'
import { LineCheck, most_lines, readLine } from '../../src/services/batches/batch-line.ts'
import { refusalOf, startRig, type Rig } from '../harness/rig.ts'
import { sampleFile } from '../conformance/storage.samples.ts'

const wish = { endpoint: '/v1/completions', input_file_id: 'f', metadata: null } as const

/** A rig in which these keys have a file of one line. */
async function rigWithFiles(...owners: string[]): Promise<Rig> {
  const rig = await startRig()
  const line = { custom_id: 'a', method: 'POST', url: wish.endpoint, body: { model: 'mock:v1', prompt: 'p', max_tokens: 1 } }
  const text = `${JSON.stringify(line)}\n`
  for (const owner of owners)
    await rig.storage.journal.commit([
      { kind: 'file_part', part: { owner, file_id: 'f', part: 0, text } },
      { kind: 'file_put', file: sampleFile(owner, 'f', { bytes: text.length, parts: 1 }) },
    ])
  return rig
}

describe('batches of a key', () => {
  it('are 32 at work at once; there is room for the next when one is over, and others have theirs', async () => {
    const rig = await rigWithFiles('ann', 'bob')
    const made = []
    for (let n = 0; n < 32; n++) made.push(await rig.batches.create('ann', wish))
    const { kind, message, details } = await refusalOf(rig.batches.create('ann', wish))
    assert.deepEqual([kind, details.retry_after_ms], ['rate_limited', 60_000])
    assert.match(message, /32 batches/)
    await rig.batches.create('bob', wish)
    assert.throws(() => rig.batches.checkFree('ann', wish.input_file_id), /is at work and needs the file/)
    rig.batches.checkFree('ann', 'another')
    rig.batches.checkFree('eve', wish.input_file_id)
    await rig.batches.cancel('ann', made[0]?.batch_id ?? '')
    await rig.clock.advance(1000)
    await rig.batches.create('ann', wish)
    await rig.batches.stop()
  })
})

describe('the lines of a batch', () => {
  const line = (custom_id: unknown): string => JSON.stringify({ custom_id, method: 'POST', url: wish.endpoint, body: {} })
  const problemsOf = (lines: Iterable<string>) => {
    const check = new LineCheck(wish.endpoint)
    let number = 0
    for (const text of lines) check.take(text, ++number)
    check.end()
    return check.problems.map((problem) => ({ code: problem.code, line: problem.line }))
  }

  it('are so many at most, and of more one is told of', () => {
    const ids = Array.from({ length: most_lines }, (_, n) => line(`id-${n}`))
    assert.deepEqual(problemsOf(ids), [])
    assert.deepEqual(problemsOf([...ids, line('id-0'), 'no JSON']), [{ code: 'too_many_requests', line: most_lines + 1 }])
    assert.deepEqual(problemsOf([...ids.slice(1), 'no JSON']), [{ code: 'invalid_json_line', line: most_lines }], 'all are looked at')
    assert.deepEqual(problemsOf([]), [{ code: 'empty_file', line: null }])
  })

  it('are wrong in a hundred places at most that are told of', () => {
    const found = problemsOf(Array.from({ length: 150 }, () => 'no JSON'))
    assert.deepEqual([found.length, found.at(-1)], [100, { code: 'invalid_json_line', line: 100 }])
  })

  it('have a name of 1 to 512 characters', () => {
    for (const id of ['a', 'a'.repeat(512)]) assert.deepEqual(readLine(line(id), wish.endpoint), { custom_id: id, body: {} })
    for (const id of ['', 'a'.repeat(513), 7, undefined])
      assert.deepEqual(problemsOf([line(id)]), [{ code: 'missing_required_parameter', line: 1 }])
  })
})

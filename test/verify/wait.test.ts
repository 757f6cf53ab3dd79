import assert from 'node:assert/strict'
import { inTime, until, untilAnswer } from '../harness/wait.ts'

describe('waiting helpers', () => {
  it('have a limit, and a sentence that says what they waited for', async () => {
    await assert.rejects(
      until(() => false, 'a task to start', 0),
      /^Error: waited 0 s in vain for a task to start$/,
    )
    await assert.rejects(inTime(new Promise(() => undefined), 'a line', 0), /in vain for a line$/)
    await assert.rejects(
      untilAnswer(
        () => Promise.resolve({ state: 'queued' }),
        ({ state }) => state === 'running',
        undefined,
        0,
      ),
      /in vain for .*'running'; the last answer was \{"state":"queued"\}$/,
    )
    assert.equal(await inTime(Promise.resolve(7), 'nothing'), 7)
  })
})

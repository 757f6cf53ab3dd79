import assert from 'node:assert/strict'
import { envelopeProblems } from '../../cli/contract/answer.ts'
import { responseProblems, type Received } from '../harness/contract.ts'

describe('the check of answers against the contract', () => {
  const correlation = { 'x-correlation-id': 'c' }
  const created = (headers: Received['headers'], json: object): string[] =>
    responseProblems('createTask', {
      status: 202,
      headers: { 'content-type': 'application/json; charset=utf-8', ...correlation, ...headers },
      text: JSON.stringify(json),
    }).filter((problem) => /header|Location/.test(problem))

  const accepted = { task_id: 't', queue_position: 0 }

  it('takes headers that are declared, and those of the transport', () => {
    assert.deepEqual(created({ location: '/v1/tasks/t', date: 'now', connection: 'keep-alive', vary: 'Origin' }, accepted), [])
  })

  it('notices a header that nobody declared, whatever its name', () => {
    for (const name of ['x-new', 'etag', 'set-cookie', 'server', 'retry-after'])
      assert.deepEqual(created({ location: '/v1/tasks/t', [name]: '1' }, accepted), [`createTask 202: header ${name} is not declared`])
  })

  it('notices a Location that is missing, of another thing, or elsewhere', () => {
    assert.deepEqual(created({}, accepted), ['createTask 202: header Location is missing'])
    for (const location of ['/v1/tasks/u', '/v1/sessions/t', '/v1/tasks/t/'])
      assert.deepEqual(created({ location }, accepted), [`createTask 202: Location is ${location}, not /v1/tasks/t`])
  })

  it('notices a budget that is no number', () => {
    assert.deepEqual(created({ location: '/v1/tasks/t', 'x-budget-tokens-remaining': '-1' }, accepted).length, 1)
    assert.deepEqual(created({ location: '/v1/tasks/t', 'x-budget-time-remaining-ms': '0.5' }, accepted).length, 1)
  })

  it('notices an error whose body says something else than its headers', () => {
    const body = { correlation_id: 'c', retry_after_ms: 1200 }
    const headers = { ...correlation, 'x-backoff-ms': '1200', 'retry-after': '2' }
    assert.deepEqual(envelopeProblems(body, headers), [])
    for (const other of [{ 'x-correlation-id': 'd' }, { 'x-backoff-ms': '1100' }, { 'retry-after': '1' }, { 'retry-after': undefined }])
      assert.equal(envelopeProblems(body, { ...headers, ...other }).length, 1, JSON.stringify(other))
    assert.equal(envelopeProblems({ correlation_id: 'c' }, headers).length, 1)
  })
})

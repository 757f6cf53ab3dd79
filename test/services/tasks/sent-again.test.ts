import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { EngineError } from '../../../src/ports/engine.ts'
import { ann, poolConfig, refusalOf, startRig, taskOf, type Rig, type RigOptions } from '../../harness/rig.ts'

const request = taskOf({ task_id: 't', session_id: 's' })

/** A task that waited until its deadline behind another one, which has ended meanwhile. */
async function expired(options: RigOptions = {}): Promise<{ rig: Rig; sent: typeof request; first: object }> {
  const rig = await startRig(options)
  await rig.run({ task_id: 'before' })
  const sent = { ...request, deadline_ms: 1000 }
  const first = await rig.admission.admit(ann, sent, 'c1')
  await rig.clock.advance(1100)
  assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.error?.code, 'DEADLINE_UNMET')
  rig.engine().call.finish()
  await settled()
  return { rig, sent, first }
}

describe('a task that is sent again', () => {
  it('is taken anew by the same POST where it ended with retriable: true: a new run, a new place', async () => {
    const { rig, sent, first } = await expired()
    const again = await rig.admission.admit(ann, sent, 'c2')
    await settled()
    assert.notDeepEqual(again, first)
    assert.deepEqual([again.task_id, again.queue_position], ['t', 0])
    assert.equal(again.accepted_at, new Date(rig.clock.now()).toISOString())
    const tail = await rig.tail('t')
    rig.engine().call.say('anew')
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([tail.text, tail.end?.['finish_reason']], ['anew', 'stop'])
    const view = await rig.tasks.get(ann, 't')
    assert.deepEqual([view.state, view.error], ['completed', undefined])
    assert.equal((await rig.tasks.list(ann, { session_id: 's' })).tasks.length, 1)
    // It has completed now, and stays.
    assert.deepEqual(await rig.admission.admit(ann, sent, 'c3'), again)
  })

  it('takes one turn of its session for each run that was dispatched, and gives back what the first had reserved', async () => {
    const { rig, sent } = await expired({ keyBudgets: new Map([['ann', { tokens: 100 }]]) })
    const left = rig.sessions.remaining('ann', 's').tokens
    await rig.admission.admit(ann, sent, 'c2')
    await settled()
    assert.equal(rig.sessions.remaining('ann', 's').tokens, (left ?? 0) - 13)
    rig.engine().call.finish({ tokens_in: 3, tokens_out: 1 })
    await settled()
    assert.equal(rig.sessions.remaining('ann', 's').tokens, (left ?? 0) - 4)
    assert.equal(rig.sessions.info(ann, 's').turns, 1)
  })

  it('is refused like any new task where there is no room for it now, and keeps its old end until it is taken', async () => {
    const { rig, sent } = await expired({ pools: [poolConfig({ queue: { capacity: 1, full_policy: 'reject' } })] })
    await rig.run()
    await rig.run()
    assert.equal((await refusalOf(rig.admission.admit(ann, sent, 'c2'))).kind, 'queue_full')
    assert.equal((await rig.tasks.get(ann, 't')).state, 'failed')
    rig.engine().call.finish()
    await settled()
    rig.storage.broken = true
    assert.equal((await refusalOf(rig.admission.admit(ann, sent, 'c3'))).kind, 'pool_unavailable')
    rig.storage.broken = false
    assert.equal((await rig.tasks.get(ann, 't')).error?.code, 'DEADLINE_UNMET')
    await rig.admission.admit(ann, sent, 'c4')
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
  })

  it('counts once against the limit of requests of its key', async () => {
    const { rig, sent } = await expired({ keyLimits: { ann: { requests_per_minute: 3 } } })
    await rig.admission.admit(ann, sent, 'c2')
    assert.equal((await refusalOf(rig.admit())).kind, 'rate_limited')
  })

  it('is a conflict with another body, whatever its end', async () => {
    const { rig, sent } = await expired()
    const other = rig.admission.admit(ann, { ...sent, max_tokens: 9 }, 'c2')
    assert.equal((await refusalOf(other)).kind, 'conflict')
  })

  it('keeps its reply where trying again cannot help: canceled, or refused by its engine for good', async () => {
    const rig = await startRig()
    const first = await rig.admission.admit(ann, request, 'c1')
    await settled()
    await rig.cancellation.cancel(ann, 't')
    assert.deepEqual(await rig.admission.admit(ann, request, 'c2'), first)
    const bad = taskOf({ task_id: 'bad' })
    const taken = await rig.admission.admit(ann, bad, 'c3')
    await settled()
    rig.engine().call.fail(new EngineError('not like this', { retriable: false }))
    await settled()
    assert.equal((await rig.tasks.get(ann, 'bad')).error?.retriable, false)
    assert.deepEqual(await rig.admission.admit(ann, bad, 'c4'), taken)
    assert.equal(rig.storage.facts('accepted').length, 2)
  })

  it('is taken once by two POSTs at the same time, and over a restart', async () => {
    const { rig, sent } = await expired()
    const [one, two] = await Promise.all([rig.admission.admit(ann, sent, 'c2'), rig.admission.admit(ann, sent, 'c3')])
    assert.deepEqual(one, two)
    assert.equal(rig.storage.facts('accepted').filter(({ task }) => task.task_id === 't').length, 2)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.equal(next.live.size, 1)
    assert.deepEqual(await next.admission.admit(ann, sent, 'c4'), one)
  })
})

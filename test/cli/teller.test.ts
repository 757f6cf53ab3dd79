import assert from 'node:assert/strict'
import { whyText } from '../../cli/common/teller.ts'

describe('what run says while a task waits', () => {
  it('is the reason of the scheduler, and when it starts', () => {
    const waiting = { phase: 'queued', queue_position: 3, predicted_start_ms: 2100 } as const
    const rest = { queue_depth: 4, on_time_probability: 1, prediction_basis: 'history', kv_warmth: false, pool_id: 'p' } as const
    const waits = { code: 'slots_busy', text: 'all slots are busy' } as const
    assert.equal(whyText({ ...rest, ...waiting, waits }), 'all slots are busy; 3 ahead, starts in about 2.1 s')
    assert.equal(whyText({ ...rest, ...waiting }), '3 ahead, starts in about 2.1 s')
    const alone = { code: 'runs_alone', text: 'runs alone' } as const
    assert.equal(whyText({ ...rest, ...waiting, phase: 'prefilling', waits: alone }), 'runs alone')
    assert.equal(whyText({ ...rest, ...waiting, phase: 'prefilling' }), 'the prompt is being read')
  })
})

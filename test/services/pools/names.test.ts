import assert from 'node:assert/strict'
import type { TaskRequest } from '../../../src/domain/task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { taught_ms, teach, type Rig, type TaskFields } from '../../harness/rig.ts'
import { coder, pool, poolOf, refusal, start, takeDown } from './names.kit.ts'

const fallbacks = (rig: Rig): unknown[] => rig.metric('placement_decisions_total').map(({ labels }) => labels['fallback'])
const auto = (placement: Omit<NonNullable<TaskRequest['placement']>, 'mode'>): TaskFields => ({ placement: { mode: 'auto', ...placement } })

describe('a task that asks for a model by name', () => {
  it('goes to the pool of the name where it starts first, whatever model that serves', async () => {
    const rig = await start()
    assert.deepEqual([await poolOf(rig), await poolOf(rig), await poolOf(rig)], ['rack', 'box', 'rack'])
    await rig.clock.advance(10)
    rig.engine('box/r0').call.finish()
    await settled()
    assert.equal(await poolOf(rig, { model_ref: 'claude-opus-4' }), 'box')
    assert.equal(rig.metric('placement_candidates_considered').at(-1)?.value, 3)
    assert.deepEqual(new Set(fallbacks(rig)), new Set(['false']))
  })

  it('goes to the fallback where no pool of the name is up', async () => {
    const rig = await start()
    takeDown(rig, 'rack')
    assert.equal(await poolOf(rig), 'box')
    takeDown(rig, 'box')
    assert.equal(await poolOf(rig), 'cloud')
    assert.deepEqual(fallbacks(rig), ['false', 'true'])
    takeDown(rig, 'cloud')
    assert.match(await refusal(rig), /^pool_unavailable Every pool for this task is down: rack, box, cloud\.$/)
  })

  it('goes there where none has room, and is refused only when the fallback has none either', async () => {
    const rig = await start()
    for (let i = 0; i < 4; i++) assert.match(await poolOf(rig), /^(rack|box)$/)
    assert.deepEqual([await poolOf(rig), await poolOf(rig)], ['cloud', 'cloud'])
    assert.match(await refusal(rig), /^queue_full /)
    assert.deepEqual(fallbacks(rig), ['false', 'false', 'false', 'false', 'true', 'true', 'false'])
  })

  it('goes there where none can meet its deadline, and is refused only when the fallback cannot either', async () => {
    const rig = await start()
    for (const id of ['rack', 'box', 'cloud']) teach(rig.pool(id))
    const soon = { deadline_ms: taught_ms + 50 }
    assert.deepEqual([await poolOf(rig, soon), await poolOf(rig, soon), await poolOf(rig, soon)], ['rack', 'box', 'cloud'])
    assert.match(await refusal(rig, soon), /^deadline_unmet body\.deadline_ms: the task would start in about/)
    assert.match(await poolOf(rig), /^(rack|box)$/)
  })

  it('goes there where none can what it asks for, or has the context', async () => {
    const rig = await start({
      prepare: (engine, id) => (engine.props = { ...engine.props, ...(id === 'cloud' ? { features: ['logprobs'] } : { ctx_max: 100 }) }),
    })
    assert.equal(await poolOf(rig, { logprobs: true, ctx: undefined }), 'cloud')
    assert.equal(await poolOf(rig, { ctx: 200 }), 'cloud')
    assert.match(await refusal(rig, { ctx: 9000 }), /^invalid_params body\.ctx: 9000 is more than the 8192 tokens/)
  })

  it('may say which pools of the name, and no others', async () => {
    const rig = await start({ pools: [pool('rack'), pool('box'), pool('cloud', { queue: { capacity: 9 } }), pool('x')] })
    const pin = (id: string): TaskFields => ({ placement: { mode: 'pin', pin_pool_id: id } })
    assert.equal(await poolOf(rig, pin('box')), 'box')
    assert.equal(await poolOf(rig, pin('cloud')), 'cloud')
    assert.match(await refusal(rig, pin('x')), /^invalid_params body\.placement\.pin_pool_id: pool x does not serve this engine and model/)
    assert.equal(await poolOf(rig, auto({ avoid_pools: ['rack', 'box'] })), 'cloud')
    const prefer = (fields: object = {}): TaskFields => ({ placement: { mode: 'prefer', prefer_pools: ['box'], ...fields } })
    assert.deepEqual([await poolOf(rig, prefer()), await poolOf(rig, prefer()), await poolOf(rig, prefer())], ['box', 'rack', 'rack'])
    assert.match(await refusal(rig, prefer({ allow_fallback: false })), /^queue_full /)
    assert.equal(await poolOf(rig, prefer()), 'cloud')
    assert.match(await refusal(rig, { engine: 'vllm' }), /^not_found No pool serves model_ref coder on engine vllm/)
  })

  it('is told the nearest names where there is none', async () => {
    const rig = await start()
    assert.equal(await refusal(rig, { model_ref: 'codr' }), 'not_found body.model_ref: there is no model codr; did you mean coder?')
    const known = 'known are coder, gpt-4o-mini, claude-*, other'
    assert.equal(await refusal(rig, { model_ref: 'mock:rack' }), `not_found body.model_ref: there is no model mock:rack; ${known}`)
    assert.match(await refusal(rig, { model_ref: undefined }), /^invalid_params body\.model_ref: is required .*: coder, other$/)
    const one = await start({ models: [coder] })
    assert.equal(await poolOf(one, { model_ref: undefined }), 'rack')
  })

  it('may leave the name to the pool it pins', async () => {
    const rig = await start({
      models: [coder, { name: 'other', pools: ['x', 'box'] }],
      pools: ['rack', 'box', 'cloud', 'x', 'spare'].map((id) => pool(id)),
    })
    const pin = (id: string): TaskFields => ({ model_ref: undefined, placement: { mode: 'pin', pin_pool_id: id } })
    assert.deepEqual([await poolOf(rig, pin('cloud')), await poolOf(rig, pin('x'))], ['cloud', 'x'])
    assert.match(
      await refusal(rig, pin('box')),
      /^invalid_params body\.model_ref: is required where several models are served: coder, other$/,
    )
    assert.match(await refusal(rig, pin('spare')), /^invalid_params body\.placement\.pin_pool_id: pool spare serves no model/)
    assert.match(await refusal(rig, pin('nope')), /^invalid_params body\.placement\.pin_pool_id: there is no pool nope/)
  })
})

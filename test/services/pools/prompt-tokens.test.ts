import assert from 'node:assert/strict'
import { EngineError } from '../../../src/ports/engine.ts'
import type { Rig } from '../../harness/rig.ts'
import { pool, poolOf, refusal, start } from './names.kit.ts'

describe('pools of one name that count differently', () => {
  const counting = (counts: Readonly<Record<string, number>>): Promise<Rig> =>
    start({
      prepare: (engine, id) => {
        engine.props = { ...engine.props, ctx_max: 100 }
        engine.onCount = () => Promise.resolve(counts[id] ?? 0)
      },
    })

  it('are each judged by their own count', async () => {
    const rig = await counting({ rack: 95, box: 50, cloud: 20 })
    assert.equal(await poolOf(rig, { task_id: 'a', ctx: undefined }), 'box')
    const { prompt_tokens, counts, request } = rig.task('a').accepted
    assert.deepEqual([prompt_tokens, request.ctx], [50, 60])
    assert.deepEqual(counts, { 'mock mock:rack': 95, 'mock mock:box': 50, 'mock mock:cloud': 20 })
    assert.equal(await poolOf(rig, { ctx: undefined, max_tokens: 60 }), 'cloud')
    assert.match(
      await refusal(rig, { ctx: undefined, max_tokens: 90 }),
      /^prompt_too_long body\.prompt: the prompt has 20 tokens and max_tokens is 90/,
    )
  })

  it('are asked once each, and those of one model once', async () => {
    const asked: string[] = []
    const rig = await start({
      pools: [pool('rack', { model: 'mock:same' }), pool('box', { model: 'mock:same' }), pool('cloud'), pool('x')],
      prepare: (engine, id) => (engine.onCount = () => Promise.resolve(asked.push(id))),
    })
    await poolOf(rig, { task_id: 'a' })
    assert.deepEqual(asked, ['rack', 'cloud'])
  })

  it('do not get what their engine cannot take, unless none can', async () => {
    const rig = await counting({ rack: 3, box: 3, cloud: 3 })
    const refuse = (id: string): void =>
      void (rig.engine(`${id}/r0`).onCount = () => Promise.reject(new EngineError(`${id} has no such role`, { retriable: false })))
    refuse('rack')
    assert.equal(await poolOf(rig, { ctx: 50 }), 'box')
    refuse('box')
    assert.equal(await poolOf(rig, { ctx: 50 }), 'cloud')
    refuse('cloud')
    assert.equal(await refusal(rig, { ctx: 50 }), 'invalid_params body.prompt: rack has no such role')
  })

  it('are judged so again when a task that waits has to go', async () => {
    const rig = await counting({ rack: 10, box: 85, cloud: 20 })
    await poolOf(rig, { ctx: undefined })
    await poolOf(rig, { task_id: 'fits', ctx: undefined, max_tokens: 15, placement: { mode: 'auto', avoid_pools: ['box', 'cloud'] } })
    await rig.drain.order('rack', 60_000)
    assert.equal(rig.task('fits').pool.id, 'rack', 'its placement leaves no other')
    const other = await counting({ rack: 10, box: 95, cloud: 20 })
    for (const task_id of ['runs', 'waits']) await poolOf(other, { task_id, ctx: undefined })
    assert.deepEqual([other.task('runs').pool.id, other.task('waits').pool.id], ['rack', 'rack'], 'box counts too many')
    await other.drain.order('rack', 60_000)
    assert.equal(other.task('waits').pool.id, 'cloud', 'not box, though that comes first')
  })
})

import assert from 'node:assert/strict'
import { ann, refusalOf, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'
import { newGate } from '../../harness/gate.ts'
import { ask, coder, pool, poolOf, refusal, start, takeDown } from './names.kit.ts'

describe('a key that is limited to models', () => {
  const limited = (models: readonly string[], options: RigOptions = {}): Promise<Rig> =>
    start({ keyLimits: { ann: { models } }, ...options })
  const names = (rig: Rig): string[] => rig.access.list(ann).map(({ name }) => name)
  const engines = (rig: Rig): string[] => rig.access.engines(ann).map(({ pool_id }) => pool_id)

  it('may use these, by all of their names, and no others', async () => {
    const rig = await limited(['gpt-4o-mini'])
    assert.equal(await poolOf(rig, { model_ref: 'claude-haiku' }), 'rack')
    const error = await refusalOf(rig.admit(ask({ model_ref: 'other' })))
    assert.deepEqual([error.code, error.message], ['FORBIDDEN', 'body.model_ref: the key ann may not use the model other'])
    assert.equal(
      await refusal(rig, { model_ref: 'othr' }),
      'not_found body.model_ref: there is no model othr; known are coder, gpt-4o-mini, claude-*',
    )
    assert.match(
      await refusal(rig, { model_ref: undefined, placement: { mode: 'pin', pin_pool_id: 'x' } }),
      /^invalid_params .*pin_pool_id: pool x/,
    )
  })

  it('is shown these, and has the only one as its default', async () => {
    const rig = await limited(['other'])
    assert.deepEqual([names(rig), engines(rig)], [['other'], ['x']])
    assert.equal(await poolOf(rig, { model_ref: undefined }), 'x')
    const both = await limited(['o*', 'coder'])
    assert.deepEqual(
      [names(both), engines(both)],
      [
        ['coder', 'other'],
        ['rack', 'box', 'cloud', 'x'],
      ],
    )
    assert.match(await refusal(both, { model_ref: undefined }), /^invalid_params body\.model_ref: is required/)
    const none = await limited(['gpt-5*'])
    assert.deepEqual([names(none), engines(none)], [[], []])
    assert.match(await refusal(none, { model_ref: undefined }), /^not_found No model that the key ann may use is served/)
  })

  it('holds without names of the configuration, too', async () => {
    const pools = [pool('a', { model: 'mock:v1' }), pool('b', { model: 'mock:v1' }), pool('x')]
    const rig = await limited(['b', 'mock:x'], { pools, models: [] })
    assert.deepEqual(
      [names(rig), engines(rig)],
      [
        ['mock:x', 'b'],
        ['b', 'x'],
      ],
    )
    assert.equal(await poolOf(rig, { model_ref: 'b' }), 'b')
    assert.match(await refusal(rig, { model_ref: 'mock:v1' }), /^forbidden /)
    assert.match(await refusal(rig, { model_ref: 'a' }), /^forbidden /)
    const all = await limited(['mock:v1'], { pools, models: [] })
    assert.deepEqual([await poolOf(all, { model_ref: 'a' }), await poolOf(all, { model_ref: undefined })], ['a', 'b'])
  })
})

describe('models by name', () => {
  it('have the largest context that one of their pools has told, and the largest there may be where none has', async () => {
    const pools = coder.pools.concat(coder.fallback).map((id) => ({ id, engine: 'vllm', url: 'http://127.0.0.1:1' }))
    const ctxOf = async (told: readonly string[]): Promise<number | undefined> => {
      const late = newGate()
      const prepare: RigOptions['prepare'] = (engine, id) => {
        engine.props = { ...engine.props, ctx_max: 50 }
        if (!told.includes(id)) engine.onStart = () => late.promise
      }
      const rig = await start({ pools, models: [coder], prepare })
      const [model] = rig.access.list(ann)
      late.resolve()
      await rig.starting
      return model?.ctx_max
    }
    assert.deepEqual([await ctxOf(['box']), await ctxOf([])], [50, 10_000_000])
  })

  it('tell what one at least of their pools can, and whether one takes tasks', async () => {
    const rig = await start({
      models: [{ ...coder, defaults: { max_tokens: 5 } }],
      prepare: (engine, id) =>
        (engine.props = {
          ...engine.props,
          replayable: false,
          features: id === 'cloud' ? ['tools'] : ['prefill'],
          ctx_max: id === 'box' ? 50 : 70,
        }),
    })
    const [model] = rig.access.list(ann)
    assert.deepEqual(model, { ...coder, defaults: { max_tokens: 5 }, ctx_max: 70, features: ['prefill', 'tools'], ready: true })
    takeDown(rig, 'rack', 'box')
    assert.equal(rig.access.list(ann)[0]?.ready, true)
    await rig.drain.order('cloud', 1000)
    assert.equal(rig.access.list(ann)[0]?.ready, false)
  })

  it('are those of the pools where the configuration has none, and follow what servers tell', async () => {
    const rig = await startRig({
      pools: [pool('a'), pool('b', { queue: { capacity: 9 } })],
      prepare: (engine, id) => (engine.props = { ...engine.props, ...(id === 'b' ? { model: '/srv/org/tales.gguf' } : {}) }),
    })
    const told = rig.access.list(ann).map(({ name, aliases, pools }) => [name, aliases, pools])
    assert.deepEqual(told, [
      ['mock:a', ['a'], ['a']],
      ['mock:b', ['tales.gguf', 'b'], ['b']],
    ])
    for (const model_ref of ['mock:b', 'b', 'tales.gguf']) assert.equal(await poolOf(rig, { model_ref }), 'b')
  })
})

import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

/** A pool that serves whatever its server has. */
const serving = (id: string): Record<string, unknown> => ({
  ...{ id, engine: 'openai', driver: 'external', url: 'http://127.0.0.1:1', model: `served:${id}`, ctx: 8192 },
  replicas: [{ id: 'r0', slots: 1 }],
})
const served = serving('pool')
const long = '/srv/models/mistral-small-24b-instruct'
const continues: RigOptions['props'] = { features: ['chat_template', 'prefill', 'continues'] }

const start = ({ props = {}, ...options }: RigOptions = {}): Promise<Rig> =>
  startRig({ pools: [served], ...options, props: { replayable: false, model: 'x', ...props } })

/** The server is gone, and comes back. @param props what it says of itself then */
async function comeBack(rig: Rig, props: RigOptions['props']): Promise<void> {
  const engine = rig.engine('pool/r0')
  engine.props = { ...engine.props, ...props }
  engine.die()
  await settled()
  await rig.clock.advance(5000)
  await settled()
}

async function begun(rig: Rig, model_ref: string): Promise<void> {
  await rig.run({ task_id: 't', engine: undefined, model_ref, max_tokens: 10 })
  rig.engine('pool/r0').call.say('one ')
  await settled()
}

describe('a server that comes back with another model', () => {
  for (const [how, mode, before, after] of [
    ['by its name', { replayable: false, ...continues }, {}, { model: 'y' }],
    ['by the end of a long name', { replayable: false, ...continues }, { model: `${long}-2501` }, { model: `${long}-2503` }],
    ['by its digest', { replayable: false, ...continues }, { model_digest: 'aa' }, { model_digest: 'bb' }],
    ['where the old one was replayable', { replayable: true }, {}, { model: 'y' }],
  ] as const)
    it(`goes on with no answer of the old one: ${how}`, async () => {
      const rig = await start({ props: { ...mode, ...before } })
      await begun(rig, 'served:pool')
      const tail = await rig.tail('t')
      await comeBack(rig, after)
      assert.equal(rig.engine('pool/r0').calls.length, 1)
      assert.deepEqual([tail.text, tail.end?.['code'], tail.end?.['retriable']], ['one ', 'WORKER_RESET', true])
    })

  it('goes on with an answer where the model is the same', async () => {
    const rig = await start({ props: { ...continues, model_digest: 'aa' } })
    await begun(rig, 'served:pool')
    const tail = await rig.tail('t')
    await comeBack(rig, { model_digest: 'aa' })
    rig.engine('pool/r0').call.say('two')
    rig.engine('pool/r0').call.finish()
    await settled()
    assert.equal(tail.text, 'one two')
    assert.equal(tail.end?.['finish_reason'], 'stop')
  })

  for (const [model, goesOn] of [
    ['y', false],
    ['x', true],
  ] as const)
    it(`goes on ${goesOn ? '' : 'nowhere '}in a pool of the same reference whose server calls its model ${goesOn ? 'the same' : 'otherwise'}`, async () => {
      const pools = ['pool', 'other'].map((id) => ({ ...serving(id), model: 'served:any' }))
      const rig = await start({
        ...{ pools, props: continues },
        prepare: (engine, pool_id) => Object.assign(engine, { props: { ...engine.props, model: pool_id === 'pool' ? 'x' : model } }),
      })
      await begun(rig, 'served:any')
      const tail = await rig.tail('t')
      rig.engine('pool/r0').onStart = () => Promise.reject(new Error('cannot'))
      rig.engine('pool/r0').die()
      await settled()
      assert.deepEqual(
        rig.engine('other/r0').calls.map(({ request }) => request.continue_from),
        goesOn ? ['one '] : [],
      )
      await rig.clock.advance(1000)
      assert.equal(tail.end?.['code'], undefined)
    })

  it('goes on with no answer of an earlier life of the daemon either', async () => {
    const rig = await start({ props: continues })
    await begun(rig, 'served:pool')
    const again = await start({ storage: rig.storage, clock: rig.clock, props: { ...continues, model: 'y' } })
    await settled()
    assert.equal(again.engine('pool/r0').calls.length, 0)
    assert.equal((await again.tail('t')).end?.['code'], 'WORKER_RESET')
  })

  it('ends what waits for the old one by its name, and takes what names the pool', async () => {
    const rig = await start({ props: continues })
    await begun(rig, 'served:pool')
    for (const [task_id, model_ref] of [
      ['named', 'x'],
      ['pool', 'pool'],
    ] as const)
      await rig.run({ task_id, engine: undefined, model_ref })
    const tail = await rig.tail('named')
    await comeBack(rig, { model: 'y' })
    const { code, message, retriable } = tail.end ?? {}
    assert.deepEqual([code, message, retriable], ['POOL_UNAVAILABLE', 'Pool pool does not serve x any more; send the task again.', true])
    assert.equal(rig.engine('pool/r0').calls.length, 2)
    assert.equal((await rig.tasks.get(ann, 'pool')).state, 'running')
  })

  it('moves what waits for the old one by its name to a pool that has it', async () => {
    const rig = await start({ pools: [served, serving('other')], props: continues })
    await begun(rig, 'served:pool')
    await rig.run({ task_id: 'beside', engine: undefined, model_ref: 'other' })
    await rig.run({ task_id: 'named', engine: undefined, model_ref: 'x', placement: { mode: 'prefer', prefer_pools: ['pool'] } })
    await comeBack(rig, { model: 'y' })
    assert.equal((await rig.tasks.get(ann, 'named')).pool_id, 'other')
  })
})

import assert from 'node:assert/strict'
import type { EngineProps } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig, type Rig } from '../../harness/rig.ts'

const pools = [
  poolConfig({
    replicas: [
      { id: 'r0', slots: 1 },
      { id: 'r1', slots: 1 },
    ],
  }),
]

/** A pool of two replicas whose engines say this of themselves. */
const start = (first: Partial<EngineProps>, second: Partial<EngineProps>): Promise<Rig> =>
  startRig({
    pools,
    prepare: (engine, _, replica_id) => {
      engine.props = { ...engine.props, ...(replica_id === 'r0' ? first : second) }
    },
  })

const states = (rig: Rig): string[] => rig.pool().replicas.map(({ state }) => state)

describe('the replicas of a pool', () => {
  it('are up where their servers have the same model, wherever its file lies', async () => {
    assert.deepEqual(states(await start({ model: '/a/x.gguf' }, { model: '/b/x.gguf' })), ['ready', 'ready'])
    assert.deepEqual(states(await start({ model: 'x', model_digest: 'aa' }, {})), ['ready', 'ready'])
  })

  for (const [what, first, second, said] of [
    ['model', { model: '/a/x.gguf' }, { model: '/a/y.gguf' }, 'it serves the model y.gguf, and replica r0 of its pool x.gguf: '],
    ['digest', { model_digest: 'aa' }, { model_digest: 'bb' }, 'it serves a model of the digest bb, and replica r0 of its pool aa: '],
  ] as const)
    it(`stay down where their ${what} is another one`, async () => {
      const rig = await start(first, second)
      assert.deepEqual(states(rig), ['ready', 'down'])
      assert.equal(rig.pool().replicas[1]?.last_error, `${said}give them one model, or a pool each`)
    })

  it('come back down where their server was started with another model, and up with the old one', async () => {
    const rig = await start({ model: 'x' }, { model: 'x' })
    const [, second] = rig.pool().replicas
    const engine = rig.engine('pool/r1')
    engine.props = { ...engine.props, model: 'y' }
    await second?.fail(new Error('its server is gone'))
    await rig.clock.advance(60_000)
    assert.deepEqual([states(rig)[1], second?.last_error?.startsWith('it serves the model y')], ['down', true])
    engine.props = { ...engine.props, model: 'x' }
    await rig.clock.advance(600_000)
    await settled()
    assert.equal(states(rig)[1], 'ready')
  })
})

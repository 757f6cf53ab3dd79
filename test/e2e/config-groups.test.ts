import assert from 'node:assert/strict'
import { mockPool } from '../harness/daemon.ts'
import { ConfigDir } from './config.kit.ts'

describe('groups of the configuration', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  const pools = ['coder', 'writer', 'small'].map((id) => mockPool({ id, model: `mock:${id}` }))
  const refusal = (...groups: Record<string, unknown>[]): string[] => dir.refusalAnywhere({ pools, groups })

  it('need an id and pools; the rest has defaults', () => {
    const { groups } = dir.load({ pools, groups: [{ id: 'gpu', pools: ['coder', 'writer'] }] })
    const defaults = { loaded: 1, idle_unload_ms: 900_000, max_hold_ms: 60_000, preload: [], pin: [] }
    assert.deepEqual(groups, [{ id: 'gpu', pools: ['coder', 'writer'], ...defaults }])
  })

  it('are refused with everything that is wrong at once', () => {
    assert.deepEqual(
      refusal(
        { id: 'a', pools: ['codr', 'writer', 'writer'], preload: ['small'], pin: ['witer'] },
        { id: 'a', pools: ['writer'] },
        { id: 'b', pools: [], loadd: 2 },
      ),
      [
        'FILE: groups[0].pools[0]: there is no pool "codr"; did you mean coder?',
        'FILE: groups[0].pools[2]: "writer" is in group a already',
        'FILE: groups[0].preload[0]: "small" is no pool of the group; known are codr, writer, writer',
        'FILE: groups[0].pin[0]: "witer" is no pool of the group; did you mean writer?',
        'FILE: groups[1].id: "a" is used twice',
        'FILE: groups[1].pools[0]: "writer" is in group a already',
        'FILE: groups[2].pools: needs at least 1 of what it lists',
        'FILE: groups[2].loadd: is not known here; did you mean loaded?',
      ],
    )
  })

  it('are refused where more is kept than may be loaded', () => {
    const all = ['coder', 'writer', 'small']
    assert.deepEqual(refusal({ id: 'a', pools: all, loaded: 2, pin: all }), [
      'FILE: groups[0].pin: 3 pools cannot be pinned where 2 may be loaded',
    ])
    assert.deepEqual(refusal({ id: 'a', pools: all, pin: ['small'] }), [
      'FILE: groups[0].pin: leaves no room for the other pools; pin fewer than loaded (1)',
    ])
    assert.deepEqual(refusal({ id: 'a', pools: all, loaded: 2, pin: ['coder'], preload: ['writer', 'small'] }), [
      'FILE: groups[0].preload: 3 pools cannot be preloaded or pinned where 2 may be loaded',
    ])
    assert.equal(dir.load({ pools, groups: [{ id: 'a', pools: all, loaded: 3, pin: all }] }).groups[0]?.pin.length, 3)
    const twice = { id: 'a', pools: all, loaded: 2, pin: ['coder', 'coder'] }
    assert.equal(dir.load({ pools, groups: [twice] }).groups.length, 1, 'one that is named twice takes one place')
  })
})

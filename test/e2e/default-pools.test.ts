import assert from 'node:assert/strict'
import { librariesInstalled, modelFilesExist } from '../../src/compose/engines.ts'
import { loadConfig, type Loaded, type Relation } from '../../src/config/config.ts'
import { temporaryDir } from '../harness/process.ts'

const missing: Relation = ({ pools }) =>
  pools.flatMap(({ driver }, i) => (driver === 'embedded' ? [{ path: ['pools', i, 'driver'], says: 'embedded needs a library' }] : []))

/** Loads the configuration of a daemon that is started in an empty folder. */
function loadedInEmptyFolder(...relations: readonly Relation[]): Loaded {
  const before = process.cwd()
  const dir = temporaryDir()
  process.chdir(dir.path)
  try {
    return loadConfig(undefined, {}, [], ...relations)
  } finally {
    process.chdir(before)
    dir.remove()
  }
}

describe('pools of the default', () => {
  it('are left out with the reason where they cannot run here: nobody asked for them', () => {
    const { config, left_out } = loadedInEmptyFolder(missing, modelFilesExist)
    assert.deepEqual(
      config.pools.map(({ id }) => id),
      ['mock'],
    )
    assert.deepEqual(left_out, [
      'default configuration: pools[0].driver: embedded needs a library',
      'default configuration: pools[0].model: there is no file tinytales.gguf below models_dir (./models)',
    ])
  })

  it('are all there in a checkout', () => {
    const { config, left_out } = loadConfig(undefined, {}, [], librariesInstalled, modelFilesExist)
    assert.deepEqual([config.pools.map(({ id }) => id), left_out], [['tales', 'mock'], []])
  })

  it('refuse the start where none of them can run', () => {
    const all: Relation = ({ pools }) => pools.map((_, i) => ({ path: ['pools', i], says: 'is nothing' }))
    assert.throws(() => loadedInEmptyFolder(all), { message: /^default configuration: pools\[0\]: is nothing\n.*pools\[1\]: is nothing$/ })
  })
})

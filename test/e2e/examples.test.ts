import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/config.ts'

const folder = join(import.meta.dirname, '../../examples')

describe('the examples', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml')))
    it(`${name} can be used as it is`, () => {
      assert.ok(loadConfig(join(folder, name), { CLOUD_KEY: 'a-key' }).config.pools.length > 0)
    })
})

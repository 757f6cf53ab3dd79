import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exchange } from '../../scripts/program/exchange.ts'
import { temporaryDir } from '../harness/process.ts'

describe('a built folder', () => {
  const dir = temporaryDir()
  after(() => dir.remove())

  it('takes the place of the one before, of which nothing is left', () => {
    const place = join(dir.path, 'lib')
    for (const text of ['first', 'second', 'third']) {
      const made = join(dir.path, `lib.${text}`)
      mkdirSync(made)
      writeFileSync(join(made, text), text)
      exchange(made, place)
      assert.deepEqual(readdirSync(place), [text])
      assert.equal(readFileSync(join(place, text), 'utf8'), text)
      assert.deepEqual(readdirSync(dir.path), ['lib'])
    }
    assert.throws(() => exchange(join(dir.path, 'none'), place), { code: 'ENOENT' })
  })
})

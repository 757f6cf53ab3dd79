import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driftOf } from '../../scripts/codegen/drift.ts'

const folders = ['generated', 'sdk/generated']
const files = new Map([
  ['generated/a.ts', 'a\n'],
  ['generated/b.json', '{}\n'],
  ['sdk/generated/c.ts', 'c\n'],
])

describe('what is generated', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'orchd-drift-'))
    for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
    for (const [name, text] of files) writeFileSync(join(root, name), text)
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const drift = (): string[] => driftOf(root, folders, files)

  it('matches where every file is as it is made', () => {
    assert.deepEqual(drift(), [])
  })

  it('is out of date by one character, also a last one, in each folder', () => {
    for (const name of files.keys()) {
      appendFileSync(join(root, name), ' ')
      assert.deepEqual(drift(), [name])
      writeFileSync(join(root, name), files.get(name) ?? '')
    }
    writeFileSync(join(root, 'generated/a.ts'), 'b\n')
    assert.deepEqual(drift(), ['generated/a.ts'])
  })

  it('is out of date where a file is missing, renamed or emptied', () => {
    renameSync(join(root, 'generated/a.ts'), join(root, 'generated/d.ts'))
    writeFileSync(join(root, 'generated/b.json'), '')
    assert.deepEqual(drift(), ['generated/a.ts', 'generated/b.json', 'generated/d.ts'])
  })

  it('is out of date where a file or a folder is left that nothing makes', () => {
    writeFileSync(join(root, 'sdk/generated/old.ts'), '')
    mkdirSync(join(root, 'generated/old'))
    assert.deepEqual(drift(), ['generated/old', 'sdk/generated/old.ts'])
  })

  it('is out of date where a whole folder is missing', () => {
    rmSync(join(root, 'sdk'), { recursive: true })
    assert.deepEqual(drift(), ['sdk/generated/c.ts'])
  })
})

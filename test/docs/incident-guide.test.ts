import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { replyErrors, streamErrors } from '../../src/domain/errors.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('documents', () => {
  it('say of every error code what to do, and of no other', () => {
    const codes = [...Object.values(replyErrors), ...Object.values(streamErrors)].map(({ code }) => code)
    const rows = [...read('docs/OPERATIONS.md').matchAll(/^\| `([A-Z_]+)` \|.*\| ([^|]+) \|$/gm)]
    assert.deepEqual(rows.map(([, code]) => code).sort(), [...new Set(codes)].sort())
    for (const [, code, advice = ''] of rows) assert.ok(advice.length > 5, code)
  })

  for (const file of [...globSync('docs/*.md', { cwd: root }), 'README.md', 'CONTRIBUTING.md'])
    it(`${file} names files that are there`, () => {
      const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)].map(([, link]) => link ?? '')
      const paths = [...read(file).matchAll(/`(src\/[^`*<]+)`/g)].flatMap(([, path = '']) => expanded(path))
      for (const link of links) assert.ok(existsSync(join(root, dirname(file), link)), link)
      for (const path of paths) assert.ok(existsSync(join(root, path)), path)
    })
})

/** `a/{b,c}` as `a/b` and `a/c`. */
function expanded(path: string): string[] {
  const [, before, choice, after] = /^(.*)\{(.+)\}(.*)$/.exec(path) ?? []
  return choice === undefined ? [path] : choice.split(',').map((one) => `${before ?? ''}${one}${after ?? ''}`)
}

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDir } from '../harness/process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = ['src/a/b.ts', 'cli/c.ts', 'generated/d.json', 'bin/e.cjs', 'scripts/program/build.ts', 'node_modules/.package-lock.json']

/** Stands for rolldown: it makes the program and counts. */
const build = `
  import { mkdirSync, writeFileSync } from 'node:fs'
  export const builds = { count: 0 }
  export async function buildProgram(root: string): Promise<void> {
    builds.count++
    mkdirSync(root + '/lib', { recursive: true })
    writeFileSync(root + '/lib/orchestratord.cjs', '')
  }`

describe('the program that npm start builds', () => {
  const dir = temporaryDir()
  after(() => dir.remove())
  const at = (path: string): string => join(dir.path, path)
  let builds: { count: number }
  let freshProgram: () => Promise<string>

  before(async () => {
    for (const file of sources) {
      mkdirSync(dirname(at(file)), { recursive: true })
      writeFileSync(at(file), file === 'scripts/program/build.ts' ? build : '')
    }
    cpSync(join(root, 'scripts/fresh.cjs'), at('scripts/fresh.cjs'))
    ;({ freshProgram } = createRequire(import.meta.url)(at('scripts/fresh.cjs')) as { freshProgram: () => Promise<string> })
    ;({ builds } = (await import(at('scripts/program/build.ts'))) as { builds: { count: number } })
  })

  beforeEach(async () => {
    rmSync(at('lib'), { recursive: true, force: true })
    for (const path of ['src', ...sources.flatMap((file) => [file, dirname(file)])]) utimesSync(at(path), 1000, 1000)
    builds.count = 0
    await freshProgram()
    utimesSync(at('lib/orchestratord.cjs'), 2000, 2000)
  })

  it('is built where there is none', () => {
    assert.equal(builds.count, 1)
  })

  it('is kept where nothing has changed', async () => {
    utimesSync(at('src/a/b.ts'), 2000, 2000)
    assert.equal(await freshProgram(), at('lib/orchestratord.cjs'))
    assert.equal(builds.count, 1)
  })

  for (const file of [...sources, 'src/a'])
    it(`is built again once ${file} has changed`, async () => {
      utimesSync(at(file), 3000, 3000)
      await freshProgram()
      assert.equal(builds.count, 2)
    })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

describe('npm run codegen:check', () => {
  const project = fileURLToPath(new URL('../../', import.meta.url))
  let root = ''
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'orchd-codegen-'))
    for (const name of ['contracts', 'scripts', 'cli', 'src', 'ci', 'generated', 'sdk/generated', 'package.json', 'models'])
      cpSync(join(project, name), join(root, name), { recursive: true })
    symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'))
  })
  after(() => rmSync(root, { recursive: true }))

  const check = (): { readonly status: number | null; readonly text: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/codegen.ts', '--check'], { cwd: root, encoding: 'utf8' })
    return { status, text: stdout + stderr }
  }

  it('fails, and names what is out of date, where a file was edited and one left behind', () => {
    appendFileSync(join(root, 'generated/metrics.ts'), '// by hand\n')
    writeFileSync(join(root, 'generated/left.ts'), '')
    const bad = check()
    assert.equal(bad.status, 1)
    assert.equal(bad.text, 'what is generated is out of date: generated/metrics.ts, generated/left.ts. Run: npm run codegen\n')
  })
})

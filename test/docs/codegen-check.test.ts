import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

describe('what is generated and out of date', () => {
  const project = fileURLToPath(new URL('../../', import.meta.url))
  let root = ''
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'orchd-codegen-'))
    for (const name of ['contracts', 'scripts', 'cli', 'src', 'ci', 'generated', 'sdk/generated', 'package.json', 'models'])
      cpSync(join(project, name), join(root, name), { recursive: true })
    symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'))
  })
  after(() => rmSync(root, { recursive: true }))

  const run = (...args: readonly string[]): { readonly status: number | null; readonly text: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    return { status, text: stdout + stderr }
  }

  it('fails npm run codegen:check, which names each file that was edited or left behind', () => {
    appendFileSync(join(root, 'generated/metrics.ts'), '// by hand\n')
    writeFileSync(join(root, 'generated/left.ts'), '')
    const bad = run('scripts/codegen.ts', '--check')
    assert.equal(bad.status, 1)
    assert.equal(bad.text, 'what is generated is out of date: generated/metrics.ts, generated/left.ts. Run: npm run codegen\n')
  })

  it('is not released', () => {
    const folder = join(root, 'contracts/released')
    const released = (): string[] => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    const before = released()
    appendFileSync(join(root, 'generated/openapi.json'), '\n')
    const { status, text } = run('scripts/contract.ts', '--release', '--replace')
    assert.equal(status, 1, text)
    assert.match(text, /out of date: .*openapi\.json/)
    assert.deepEqual(released(), before)
  })
})

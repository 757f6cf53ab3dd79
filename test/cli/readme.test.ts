import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { programOf } from '../../cli/program.ts'
import { exit } from '../../cli/common/exit.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'
import { program } from './command.ts'

const root = join(import.meta.dirname, '../..')
const section = /^## Command line\n([^]*?)^## /m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''
const lines = (/^```sh\n([^]*?)^```$/m.exec(section)?.[1] ?? '').trimEnd().split('\n')
const workflow = readFileSync(join(root, 'examples/ci/contract.yml'), 'utf8')

describe('the command line in documents', () => {
  const dir = temporaryDir()
  let daemon: TestDaemon
  const shell = (text: string): Promise<{ stdout: string }> =>
    promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `orchestratord() { '${process.execPath}' '${program}' "$@"; }\n${text}`], {
      cwd: dir.path,
      env: { ...process.env, ORCHD_URL: daemon.url, ORCHD_KEY: keys.all },
    })
  before(async () => {
    daemon = await startDaemon()
  })
  after(async () => {
    await daemon.stop()
    dir.remove()
  })

  it('has lines', () => assert.ok(lines.length > 5))

  for (const line of lines) it(line, async () => assert.notEqual((await shell(line)).stdout, ''))

  it('names every command, and the exit statuses', () => {
    const named = [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z]+)/g)].map(([, name]) => name),
    )
    const commands = programOf()
      .commands.map((command) => command.name())
      .filter((name) => name !== 'serve')
    assert.deepEqual([...new Set(named)].filter((name) => name !== 'zsh' && name !== 'fish').sort(), commands.sort())
    const statuses = /Exit statuses: ([^.]*)\./.exec(section)?.[1] ?? ''
    assert.deepEqual([...statuses.matchAll(/\d+/g)].map(Number), Object.values(exit))
  })

  it('runs the steps of the example workflow against a daemon', async () => {
    const { jobs } = parse(workflow) as { jobs: { contract: { steps: { run?: string }[] } } }
    const steps = jobs.contract.steps.flatMap(({ run }) => (run?.includes('npx orchestratord') === true ? [run] : []))
    assert.equal(steps.length, 2)
    await shell('mkdir contract && curl -sf "$ORCHD_URL/openapi/orchestratord.json" -o contract/orchestratord.json')
    for (const step of steps) await shell(step.replaceAll('npx orchestratord', 'orchestratord'))
    assert.match(readFileSync(join(dir.path, 'verify.xml'), 'utf8'), /failures="0"/)
  })
})

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
}

/** What the gate finds in a tree of these files. */
async function cruise(dir: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) cpSync(join(root, name), join(dir, name))
  const command = join(root, 'node_modules/.bin/depcruise')
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [command, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'],
      { cwd: dir },
      (_, stdout) => {
        resolve(stdout)
      },
    )
  })
  const { summary } = JSON.parse(output) as { readonly summary: { readonly violations: readonly Violation[] } }
  return summary.violations.filter(({ rule }) => rule.name !== 'no-orphans').map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`)
}

const leaf = 'export const value = 1\n'
const importing = (path: string): string => `import { value } from '${path}'\nexport const other = value\n`

describe('dependency law', function () {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'orchestratord-law-'))
  })

  afterEach(() => {
    rmSync(dir, { recursive: true })
  })

  it('lets a file in a folder that nobody listed import nothing of ours', async () => {
    const found = await cruise(dir, {
      'src/services/tasks/admission.ts': leaf,
      'src/domain/errors.ts': leaf,
      'src/adapters/queues/x.ts': importing('../../services/tasks/admission.ts'),
      'src/services/billing/x.ts': importing('../../domain/errors.ts'),
      'src/doors/gemini/x.ts': importing('../../domain/errors.ts'),
      'src/utils/x.ts': importing('../domain/errors.ts'),
    })
    assert.deepEqual(found.sort(), [
      'unlisted-rooms-import-nothing: src/adapters/queues/x.ts -> src/services/tasks/admission.ts',
      'unlisted-rooms-import-nothing: src/doors/gemini/x.ts -> src/domain/errors.ts',
      'unlisted-rooms-import-nothing: src/services/billing/x.ts -> src/domain/errors.ts',
      'unlisted-rooms-import-nothing: src/utils/x.ts -> src/domain/errors.ts',
    ])
  })

  it('lets each engine be a room of its own, which may use what engines over HTTP share', async () => {
    const found = await cruise(dir, {
      'src/adapters/engines/http/client.ts': leaf,
      'src/adapters/engines/new/leaf.ts': leaf,
      'src/adapters/engines/new/x.ts': importing('../http/client.ts'),
      'src/adapters/engines/other/x.ts': importing('../new/leaf.ts'),
      'src/adapters/engines/http/x.ts': importing('../new/leaf.ts'),
    })
    assert.deepEqual(found.sort(), [
      'adapters-engines-http-imports: src/adapters/engines/http/x.ts -> src/adapters/engines/new/leaf.ts',
      'adapters-engines-other-imports: src/adapters/engines/other/x.ts -> src/adapters/engines/new/leaf.ts',
    ])
  })

  it('holds the order of the subjects: operations, tasks, pools, sessions', async () => {
    const order = ['operations', 'tasks', 'pools', 'sessions']
    const files: Record<string, string> = {}
    for (const subject of order) files[`src/services/${subject}/leaf.ts`] = leaf
    for (const from of order)
      for (const to of order) if (from !== to) files[`src/services/${from}/to-${to}.ts`] = importing(`../${to}/leaf.ts`)
    const found = await cruise(dir, files)
    const up = order.flatMap((from, i) =>
      order.slice(0, i).map((to) => `services-${from}-imports: src/services/${from}/to-${to}.ts -> src/services/${to}/leaf.ts`),
    )
    assert.deepEqual(found.sort(), up.sort())
  })

  it('keeps the catalog and the pools apart, adapters from each other, and every layer from those above', async () => {
    const found = await cruise(dir, {
      'src/services/catalog/catalog.ts': leaf,
      'src/services/catalog/x.ts': importing('../pools/pool.ts'),
      'src/services/pools/pool.ts': leaf,
      'src/services/pools/x.ts': importing('../catalog/catalog.ts'),
      'src/adapters/engines/mock/engine.ts': leaf,
      'src/adapters/engines/llamacpp/x.ts': importing('../mock/engine.ts'),
      'src/adapters/embedded/x.ts': importing('../../services/pools/pool.ts'),
      'src/domain/x.ts': importing('../ports/clock.ts'),
      'src/ports/clock.ts': leaf,
      'src/ports/x.ts': importing('../services/pools/pool.ts'),
      'src/doors/native/frames.ts': leaf,
      'src/doors/native/x.ts': importing('../../services/pools/pool.ts'),
      'src/services/tasks/x.ts': importing('../../doors/native/frames.ts'),
      'src/middleware/x.ts': importing('../services/pools/pool.ts'),
    })
    assert.deepEqual(found.map((line) => line.split(':')[0]).sort(), [
      'adapters-embedded-imports',
      'adapters-engines-llamacpp-imports',
      'domain-imports',
      'doors-native-imports',
      'middleware-imports',
      'ports-imports',
      'services-catalog-imports',
      'services-pools-imports',
      'services-tasks-imports',
    ])
  })

  it('lets no circle be', async () => {
    const found = await cruise(dir, {
      'src/domain/a.ts': `${importing('./b.ts')}export const value = 2\n`,
      'src/domain/b.ts': importing('./a.ts').replace('other', 'value'),
    })
    assert.ok(found.some((line) => line.startsWith('no-circular: ')))
  })
})

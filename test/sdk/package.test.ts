import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSdk } from '../../scripts/sdk/build.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'sdk/README.md'), 'utf8')
const manifest = (path: string): Record<string, Record<string, string>> =>
  JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, Record<string, string>>

/** Runs a command in a folder. @throws where it fails, with what it said */
function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

describe('the published package', () => {
  let dir: ReturnType<typeof temporaryDir>
  before(() => {
    dir = temporaryDir()
    // As npm has it: packed from its own folder, unpacked where it is used.
    const source = join(dir.path, 'sdk')
    mkdirSync(join(source, 'dist/src'), { recursive: true })
    writeFileSync(join(source, 'dist/src/gone.js'), 'export {}')
    buildSdk(join(source, 'dist'))
    for (const name of ['package.json', 'README.md']) cpSync(join(root, 'sdk', name), join(source, name))
    const [packed] = JSON.parse(run(source, 'npm', 'pack', '--json')) as { filename: string }[]
    const installed = join(dir.path, 'node_modules/@orchestratord/client')
    mkdirSync(installed, { recursive: true })
    run(installed, 'tar', '-xzf', join(source, packed?.filename ?? ''), '--strip-components=1')
    for (const name of ['openapi-fetch', 'openapi-typescript-helpers'])
      symlinkSync(join(root, 'node_modules', name), join(dir.path, 'node_modules', name))
    writeFileSync(join(dir.path, 'package.json'), '{ "type": "module" }')
  })
  after(() => dir.remove())

  it('has no module of an earlier build that there is no more', () => {
    const modules = readdirSync(join(dir.path, 'node_modules/@orchestratord/client/dist/src'))
    assert.deepEqual([modules.includes('index.js'), modules.includes('gone.js')], [true, false])
  })

  it('depends on what is tested', () => {
    assert.deepEqual(manifest('sdk/package.json')['dependencies'], {
      'openapi-fetch': manifest('package.json')['dependencies']?.['openapi-fetch'],
    })
  })

  it('runs the lines of its README, as they stand there', async () => {
    const lines = /```js\n([^]*?)```/.exec(readme)?.[1] ?? ''
    assert.ok(
      lines
        .trim()
        .split('\n')
        .filter((line) => line !== '').length <= 10,
    )
    const { code, stdout, stderr } = await program(lines)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\w+ \w+/)
    assert.match(stderr, /^ [0-9a-f]{32} \d+ tokens$/m)
  })

  it('runs the batch of its README', async () => {
    const [first = '', ...blocks] = Array.from(readme.matchAll(/```js\n([^]*?)```/g), ([, text = '']) => text)
    const client = first.split('\n').slice(0, 3).join('\n')
    const { code, stdout, stderr } = await program(`${client}\n${blocks.find((text) => text.includes('batches')) ?? ''}`)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^a fox \[/m)
    assert.match(stdout, /^a fisherman \[/m)
  })

  /** Runs a program that uses the package, with a daemon of its own. */
  async function program(text: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const mock = { id: 'mock', engine: 'mock', driver: 'in-process', model: 'mock:v1', ctx: 8192, replicas: [{ id: 'r0', slots: 4 }] }
    const daemon = await DaemonProcess.start(dir.path, { config: { pools: [mock] } })
    writeFileSync(join(dir.path, 'story.mjs'), text.replace('http://127.0.0.1:8080', daemon.url))
    const child = spawn(process.execPath, ['story.mjs'], { cwd: dir.path })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (piece: string) => (said[name] += piece))
    const code = await new Promise((resolve) => child.on('close', resolve))
    await daemon.stop()
    return { code, ...said }
  }

  it('has types that a strict compiler takes, without those of Node', () => {
    const lines = [
      "import { createClient, TaskFailed, type components, type TaskEvent } from '@orchestratord/client'",
      "const client = createClient({ key: 'valid' })",
      "const request: components['schemas']['TaskRequest'] = { prompt: 'Hello' }",
      'const seen: TaskEvent[] = []',
      'for await (const event of client.tasks.run(request)) {',
      '  seen.push(event)',
      "  if (event.event === 'token') event.data.t.toUpperCase()",
      '}',
      'const depth: number = (await client.pools.list()).pools.reduce((sum, pool) => sum + pool.queue_depth, 0)',
      'const accepted: string = (await client.tasks.create(request)).task_id',
      // Where nothing is an error these lines are one: nothing is `any`.
      "// @ts-expect-error an event that is thrown\nif (seen[0]?.event === 'error') throw new TaskFailed('', seen[0].data)",
      '// @ts-expect-error no field of a task\nawait client.tasks.get(accepted).then((task) => task.nothing)',
      "// @ts-expect-error no such priority\nawait client.tasks.create({ prompt: '', priority: 'urgent' })",
      'export { depth }',
    ]
    writeFileSync(join(dir.path, 'use.ts'), lines.join('\n'))
    const compilerOptions = { strict: true, noEmit: true, exactOptionalPropertyTypes: true, module: 'nodenext', target: 'es2022' }
    const platform = { lib: ['es2022', 'dom', 'dom.iterable'], types: [] }
    writeFileSync(
      join(dir.path, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...platform }, files: ['use.ts'] }),
    )
    run(dir.path, process.execPath, join(root, 'node_modules/typescript/bin/tsc'))
  })
})

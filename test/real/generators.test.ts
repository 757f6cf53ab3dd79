import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { installed, withEngine } from '../harness/real-engines.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const contracts = ['orchestratord', 'openai', 'anthropic'] as const

/** Runs a command to its end; what it said. @throws where it fails */
async function run(cwd: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, `${command} ${args.join(' ')}: ${said}`)
  return said
}

const dir = temporaryDir()
let daemon: TestDaemon
before(async () => {
  daemon = await startDaemon()
  // As they are served, not as they are kept.
  for (const name of contracts) writeFileSync(join(dir.path, `${name}.json`), (await call(daemon.url, `/openapi/${name}.json`)).text)
  symlinkSync(join(root, 'node_modules'), join(dir.path, 'node_modules'))
  writeFileSync(join(dir.path, 'package.json'), '{ "type": "module" }')
})
after(async () => {
  await daemon.stop()
  dir.remove()
})

describe('generators of TypeScript, with the options they have by themselves', () => {
  const bin = (name: string): string => join(root, 'node_modules/.bin', name)

  it('make what the body of the README compiles against', async () => {
    for (const name of contracts) {
      await run(dir.path, bin('openapi-typescript'), [`${name}.json`, '-o', `${name}.ts`])
      await run(dir.path, bin('openapi-ts'), ['-i', `${name}.json`, '-o', `hey-${name}`])
    }
    const lines = [
      "import createClient from 'openapi-fetch'",
      "import type { components, paths } from './orchestratord.ts'",
      "import type { paths as openai } from './openai.ts'",
      "import type { paths as anthropic } from './anthropic.ts'",
      "import { createTask, type TaskEvent, type TaskRequest } from './hey-orchestratord/index.ts'",
      "import './hey-openai/index.ts'",
      "import './hey-anthropic/index.ts'",
      "const body = { model_ref: 'mock:v1', prompt: 'Hello' }",
      "const { data } = await createClient<paths>().POST('/v1/tasks', { body })",
      'const answer: unknown = data',
      "const fromNewer: components['schemas']['ErrorEnvelope']['code'] = 'LATER'",
      'const heyBody: TaskRequest = body',
      'await createTask({ body: heyBody })',
      "export const texts = (events: TaskEvent[]): string[] => events.map((one) => (one.event === 'token' ? one.data.t : ''))",
      "export const same = (events: components['schemas']['TaskEvent'][]): string[] => events.map((one) => (one.event === 'token' ? one.data.t : ''))",
      'export const doors = [createClient<openai>(), createClient<anthropic>()]',
      'export { answer, fromNewer }',
    ]
    writeFileSync(join(dir.path, 'use.ts'), lines.join('\n'))
    const compilerOptions = { strict: true, noEmit: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2022', types: [] }
    const options = { ...compilerOptions, allowImportingTsExtensions: true, skipLibCheck: true, lib: ['es2022', 'dom', 'dom.iterable'] }
    writeFileSync(join(dir.path, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
    await run(dir.path, process.execPath, [join(root, 'node_modules/typescript/bin/tsc')])
  })
})

/** What an older client meets: a code, an engine and a field that its contract does not have. */
const later = "{'code': 'LATER', 'engine': 'tpu', 'message': 'm', 'retriable': False, 'correlation_id': 'c', 'more': 1}"

withEngine('python-client', 'openapi-python-client', () => {
  it('makes clients that send the body of the README and take what came later', async () => {
    const folder = join(dir.path, 'python-client')
    mkdirSync(folder)
    for (const name of contracts) {
      const said = await run(folder, installed('python-client', 'bin/openapi-python-client'), [
        ...['generate', '--path', `../${name}.json`, '--output-path', `made_${name}`, '--meta', 'none'],
      ])
      assert.doesNotMatch(said, /Unable to|parsing|omitted|ignored/, said)
    }
    const lines = [
      'import os',
      'from made_orchestratord import AuthenticatedClient',
      'from made_orchestratord.api.tasks import create_task, get_task',
      'from made_orchestratord.models import ErrorEnvelope, TaskRequest',
      "client = AuthenticatedClient(base_url=os.environ['URL'], token=os.environ['KEY'])",
      "accepted = create_task.sync(client=client, body=TaskRequest(model_ref='mock:v1', prompt='Hello'))",
      "assert get_task.sync(accepted.task_id, client=client).pool_id == 'mock'",
      `error = ErrorEnvelope.from_dict(${later})`,
      "assert (error.code, error.engine, error['more']) == ('LATER', 'tpu', 1)",
    ]
    writeFileSync(join(folder, 'use.py'), lines.join('\n'))
    await run(folder, installed('python-client', 'bin/python'), ['use.py'], { URL: daemon.url, KEY: keys.data })
  })
})

withEngine('openapi-generator', "openapi-generator's Python", () => {
  it('makes clients that send the body of the README and take what came later', async () => {
    const folder = join(dir.path, 'made-by-java')
    for (const name of contracts)
      await run(dir.path, 'java', [
        ...['-jar', installed('openapi-generator', 'openapi-generator-cli.jar'), 'generate', '-g', 'python', '-i', `${name}.json`],
        ...[
          '-o',
          folder,
          '--package-name',
          `made_${name}`,
          '--global-property',
          'apiTests=false,modelTests=false,apiDocs=false,modelDocs=false',
        ],
      ])
    const lines = [
      'import os',
      'import made_openai, made_anthropic',
      'from made_orchestratord import ApiClient, Configuration, ErrorEnvelope, TaskRequest, TasksApi',
      "configuration = Configuration(host=os.environ['URL'], api_key={'ApiKey': os.environ['KEY']})",
      'tasks = TasksApi(ApiClient(configuration))',
      "accepted = tasks.create_task(TaskRequest(model_ref='mock:v1', prompt='Hello'), _headers={'Accept': 'application/json'})",
      "assert tasks.get_task(accepted.task_id).pool_id == 'mock'",
      `error = ErrorEnvelope.from_dict(${later})`,
      "assert (error.code.actual_instance, error.engine.actual_instance) == ('LATER', 'tpu')",
    ]
    writeFileSync(join(folder, 'use.py'), lines.join('\n'))
    await run(folder, installed('openapi-generator', 'bin/python'), ['use.py'], { URL: daemon.url, KEY: keys.data })
  })
})

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { EngineServer, recording } from '../engines/http/engine-server.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'
import { orchestratord, type Ended } from './command.ts'

describe('init and doctor', () => {
  let server: Server
  let url = ''
  let dir: ReturnType<typeof temporaryDir>
  before(async () => {
    const answers: Record<string, unknown> = {
      '/v1/models': {
        object: 'list',
        data: [
          { id: 'qwen3:8b', owned_by: 'library' },
          { id: 'gemma:2b', owned_by: 'library' },
        ],
      },
    }
    server = createServer((request, response) => {
      const answer = answers[request.url ?? '']
      response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => (dir = temporaryDir()))
  afterEach(() => dir.remove())

  const run = (...args: string[]): Promise<Ended> => orchestratord(args, { cwd: dir.path })

  it('init finds a server, and writes a configuration that the daemon and doctor take', async () => {
    const { status, stdout, stderr } = await run('init', '--engine', url, '--listen', '127.0.0.1:0')
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(
      stdout,
      /^found openai at http:\S+: qwen3:8b, gemma:2b\nwrote orchestratord\.yaml; start it with: orchestratord --config orchestratord\.yaml\n$/,
    )
    assert.match((await run('--check')).stdout, /pool +qwen3-8b: openai/)
    const found = await run('doctor')
    assert.equal(found.status, 0)
    assert.match(found.stdout, new RegExp(`^ok +engine +${url} is openai and serves qwen3:8b, gemma:2b$`, 'm'))
    for (const what of ['configuration', 'port', 'data', 'disk', 'gpu', 'clock'])
      assert.match(found.stdout, new RegExp(`^\\w+ +${what} `, 'm'))
    assert.match(found.stdout, /^warning +keys +none: .*\n +fix: orchestratord keys create NAME$/m)
    assert.ok(!existsSync(join(dir.path, 'data')))
  })

  it('init finds several kinds at once, each as it was recorded, and doctor all of what they serve', async () => {
    const recorded = {
      llamacpp: [{ 'GET /props': 'llama-server/router-props', 'GET /v1/models': 'llama-server/router-models' }, 'broken, tales-a, tales-b'],
      vllm: [{ 'GET /v1/models': 'vllm/models' }, 'tinytales'],
      triton: [{ 'GET /v2': 'triton/server-metadata', 'POST /v2/repository/index': 'triton/index-ready' }, 'tales'],
      ollama: [
        { 'GET /api/version': 'ollama/version', 'GET /api/tags': 'ollama/tags', 'GET /v1/models': 'ollama/v1-models' },
        'tinytales:latest',
      ],
    } as const
    const servers = await Promise.all(
      Object.entries(recorded).map(async ([kind, [answers, models]]) => {
        const engine = await EngineServer.start()
        for (const [call, name] of Object.entries(answers)) engine.on(call, recording(name))
        return { engine, kind, models }
      }),
    )
    try {
      const { status, stdout, stderr } = await run('init', ...servers.flatMap(({ engine }) => ['--engine', engine.url]))
      assert.deepEqual([status, stderr], [0, ''])
      const found = servers.map(({ engine, kind, models }) => `found ${kind} at ${engine.url}: ${models}\n`)
      assert.ok(stdout.startsWith(found.join('')), stdout)
      const { stdout: seen } = await run('doctor')
      for (const { engine, kind, models } of servers)
        assert.match(seen, new RegExp(`^ok +engine +${engine.url} is ${kind} and serves ${models}$`, 'm'))
    } finally {
      await Promise.all(servers.map(({ engine }) => engine.stop()))
    }
  })

  it('init gives the daemon no port that an engine has', async () => {
    const { status, stderr } = await run('init', '--engine', url, '--listen', url.replace('http://', ''))
    assert.equal(status, 2)
    assert.equal(
      stderr,
      `orchestratord: an engine listens at ${url}, on the port that the daemon is to have: name another, such as --listen 127.0.0.1:8090\n`,
    )
    assert.ok(!existsSync(join(dir.path, 'orchestratord.yaml')))
  })

  it('init never writes over a file, and writes none where nothing answers', async () => {
    writeFileSync(join(dir.path, 'mine.yaml'), 'mine')
    const refused = await run('init', '--engine', url, '--config', 'mine.yaml')
    assert.deepEqual(
      [refused.status, refused.stderr],
      [1, 'orchestratord: mine.yaml is there already: name another with --config, or move it away\n'],
    )
    assert.equal(readFileSync(join(dir.path, 'mine.yaml'), 'utf8'), 'mine')
    const nothing = await run('init', '--engine', 'http://127.0.0.1:1')
    assert.equal(nothing.status, 1)
    assert.match(nothing.stderr, /^orchestratord: no engine answers on http:\/\/127\.0\.0\.1:1: start one, or say where with --engine URL/)
    assert.ok(!existsSync(join(dir.path, 'orchestratord.yaml')))
  })

  it('doctor says what is wrong with a configuration, where, and what to do', async () => {
    writeFileSync(join(dir.path, 'orchestratord.yaml'), 'listn: 127.0.0.1:8080\n')
    const { status, stdout } = await run('doctor')
    assert.equal(status, 1)
    assert.match(stdout, /^problem +configuration orchestratord\.yaml:1: .*listen.*\n +fix: /m)
  })

  it('doctor says that an engine is away, a port taken, a directory closed', async () => {
    writeFileSync(join(dir.path, 'file'), '')
    const taken = url.replace('http://', '')
    writeFileSync(
      join(dir.path, 'orchestratord.yaml'),
      JSON.stringify({
        listen: taken,
        data_dir: join(dir.path, 'file/data'),
        pools: [{ id: 'box', engine: 'openai', url: 'http://127.0.0.1:1', model: 'openai:m' }],
      }),
    )
    const { stdout } = await run('doctor', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { what: string; state: string; fix?: string }[] }
    const states = Object.fromEntries(findings.map(({ what, state }) => [what, state]))
    assert.deepEqual([states['port'], states['engine'], states['data']], ['warning', 'warning', 'problem'])
    for (const { state, fix } of findings) assert.equal(fix === undefined, state === 'ok')
  })

  it('doctor gives a server its key, and says which server is of another kind than its pool, and which program is not there', async () => {
    const engine = await EngineServer.start()
    engine.on('GET /props', (call) =>
      call.headers.authorization === 'Bearer sesame'
        ? call.write(recording('llama-server/props')).then(() => call.end())
        : call.json(401, { error: 'no' }),
    )
    engine.on('GET /v1/models', recording('llama-server/models'))
    const pool = { id: 'box', engine: 'llamacpp', url: engine.url }
    const command = ['--model', '{model_path}', '--port', '{port}']
    const managed = { engine: 'llamacpp', model: 'file:tinytales.gguf', ctx: 256 }
    const looked = async (...pools: object[]): Promise<string> => {
      writeFileSync(join(dir.path, 'orchestratord.yaml'), JSON.stringify({ data_dir: dir.path, models_dir: modelsDir, pools }))
      const { stdout } = await orchestratord(['doctor'], { cwd: dir.path, env: { GOOD_KEY: 'sesame', BAD_KEY: 'no' } })
      return stdout
    }
    try {
      assert.match(
        await looked(pool, { ...pool, id: 'bad', api_key_env: 'BAD_KEY' }, { ...pool, id: 'good', api_key_env: 'GOOD_KEY' }),
        new RegExp(
          [
            `^warning +engine +pool box ${engine.url}: it wants a key.*\n +fix: start it, or change url or api_key_env of pool box.*`,
            `\nwarning +engine +pool bad ${engine.url}: the engine does not take the key.*\n.*`,
            `\nok +engine +${engine.url} is llamacpp and serves tinytales$`,
          ].join(''),
          'm',
        ),
      )
      assert.match(
        await looked(
          { ...pool, engine: 'vllm', api_key_env: 'GOOD_KEY' },
          { ...pool, id: 'any', engine: 'openai', api_key_env: 'GOOD_KEY' },
        ),
        /^problem +engine +\S+ is llamacpp and serves tinytales, and pool box has engine: vllm\n +fix: set engine: llamacpp for pool box\nok +engine /m,
      )
      assert.match(
        await looked(
          { ...managed, id: 'a', command: ['no-such-program', ...command] },
          { ...managed, id: 'b', command: [join(dir.path, 'none'), ...command] },
          { ...managed, id: 'c', command: [process.execPath, ...command] },
        ),
        new RegExp(
          [
            '^problem +engine +pool a: there is no program no-such-program on the PATH\n +fix: install it, or change command of pool a.*',
            `\nproblem +engine +pool b: ${join(dir.path, 'none')} is no program\n.*`,
            `\nok +engine +pool c starts ${process.execPath}$`,
          ].join(''),
          'm',
        ),
      )
    } finally {
      await engine.stop()
    }
  })
})

import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TestTerminal } from '../cli/terminal.ts'
import { freePort } from '../harness/engine-process.ts'
import { installPackage } from '../harness/packed.ts'
import { temporaryDir } from '../harness/process.ts'
import { llamaServer, withEngine } from '../harness/real-engines.ts'
import { until, untilAnswer } from '../harness/wait.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const section = /^## Three minutes\n([^]*?)^## /m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''

/** The block of the section that has a text, as it is written. */
function block(kind: string, text: string): string {
  const blocks = [...section.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].filter(([, of, body = '']) => of === kind && body.includes(text))
  const [found, ...others] = blocks
  assert.ok(found !== undefined && others.length === 0, `${blocks.length} blocks have ${text}`)
  return found[2] ?? ''
}

/** Where somebody begins. */
interface Place {
  readonly what: string
  /** Has in a folder what there is before the first command. */
  readonly prepare: (folder: string) => Promise<void> | void
  /** The commands of the README as they are written there. */
  readonly here: (text: string) => string
  /** The program in that folder. */
  readonly program: string
  /** How the first answer begins: that of the mock is of no story. */
  readonly tells: RegExp
}

/** A folder that has what a clone has. */
const checkout: Place = {
  what: 'in a clone',
  prepare: (folder) => {
    for (const name of readdirSync(root)) if (!['data', 'dist', '.git'].includes(name)) symlinkSync(join(root, name), join(folder, name))
  },
  here: (text) => text,
  program: 'bin/orchestratord.cjs',
  tells: /^Once upon a time .*\.\n$/,
}

/** An empty folder into which the package is installed; OpenAI's library and the model of llama-server are what somebody has beside. */
const packed: Place = {
  what: 'from the package, in an empty folder',
  prepare: async (folder) => {
    await installPackage(folder)
    for (const name of ['node_modules/openai', 'models']) symlinkSync(join(root, name), join(folder, name))
  },
  here: (text) =>
    text
      .replaceAll(/npm start( --)?|node bin\/orchestratord\.cjs/g, 'npx orchestratord')
      .replaceAll('start.cjs --config', 'orchestratord --config')
      .replaceAll(' --model file:models/tinytales.gguf', ''),
  program: 'node_modules/.bin/orchestratord',
  tells: /^\S.*\n$/,
}

for (const place of [checkout, packed])
  withEngine('llama-server', `the first hour ${place.what}, as the README has it`, () => {
    firstHour(place)
  })

/** Ports are those of the test; everything else of the README runs as it is written. */
function firstHour(place: Place): void {
  const dir = temporaryDir()
  const config = `my-${process.pid}.yaml`
  const running = new Set<ChildProcess>()
  let ports: readonly [daemon: number, engine: number]
  let daemon: ChildProcess | undefined
  let env: Record<string, string>

  before(async () => {
    await place.prepare(dir.path)
    ports = [await freePort(), await freePort()]
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ORCHD_'))
    const url = `http://127.0.0.1:${ports[0]}`
    env = { ...(Object.fromEntries(inherited) as Record<string, string>), ORCHD_ADDR: `127.0.0.1:${ports[0]}`, ORCHD_URL: url }
  })
  after(async () => {
    await stop()
    for (const child of running) child.kill('SIGKILL')
    dir.remove()
  })

  const here = (text: string): string =>
    place
      .here(text)
      .replaceAll(':8080', `:${ports[0]}`)
      .replaceAll(/(:|--port )8081/g, `$1${ports[1]}`)
      .replaceAll('my.yaml', config)
  const shell = async (text: string): Promise<string> =>
    (await run('bash', ['-euo', 'pipefail', '-c', here(text)], { cwd: dir.path, env })).stdout
  const begin = (command: string, more: Readonly<Record<string, string>> = {}): ChildProcess => {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: dir.path, env: { ...env, ...more }, stdio: 'ignore', detached: true })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }
  const ready = (url: string): Promise<unknown> =>
    untilAnswer(
      () =>
        fetch(url)
          .then(({ status }) => status)
          .catch(() => 0),
      (status) => status === 200,
    )

  /** Starts the daemon in the first terminal, in place of the one that runs there. */
  async function start(command: string): Promise<void> {
    await stop()
    daemon = begin(here(command.trim()))
    await ready(`${env['ORCHD_URL']}/readyz`)
  }

  /** Ctrl-C, which goes to the whole group. */
  async function stop(): Promise<void> {
    const ends = daemon
    if (ends?.pid === undefined || !running.has(ends)) return
    const ended = new Promise((resolve) => ends.once('exit', resolve))
    process.kill(-ends.pid, 'SIGINT')
    await ended
  }

  const terminalOf = (args: readonly string[], more = {}, columns?: number): TestTerminal =>
    new TestTerminal(args, { ...env, ...more }, columns, undefined, join(dir.path, place.program))

  /** Looks at `top` again and again, until it shows something. */
  const seenByTop = (shows: (screen: string) => boolean): Promise<string> =>
    untilAnswer(async () => {
      const top = terminalOf(['top'])
      await until(() => /\d running, \d+ waiting[^]*q quit/.test(top.screen)).finally(() => top.close())
      return top.screen
    }, shows)

  it('two commands lead to an answer', async () => {
    const [install = '', ...first] = block('sh', 'npm ci').trim().split(' && ')
    assert.equal(install, 'npm ci')
    await start(first.join(' && '))
    const told = /^> (.*) \[\.\.\.\]$/m.exec(section)?.[1] ?? assert.fail()
    const answer = await shell(block('sh', 'Tell me a story about a fox.'))
    assert.match(answer, place.tells)
    if (place === checkout) assert.equal(answer.slice(0, 17), told.slice(0, 17))
  })

  it('a queue fills and empties, by curl and by top', async () => {
    const lines = block('sh', 'seq 40').trim().split('\n')
    // More than the README has: a busy machine takes its time to open a terminal.
    const seen = await shell(lines.slice(0, 2).join('\n').replace('seq 40', 'seq 150'))
    assert.match(seen, /^\{"pool_id":"mock","slots":4,"entries":\[\{"state":"running"/)
    const filled = await seenByTop((screen) => /\d running, \d+ waiting/.test(screen))
    assert.match(filled, /^ {2}POOL +ENGINE +MODEL +STATE +BUSY +SLOTS +QUEUED$/m)
    await seenByTop((screen) => screen.includes('0 running, 0 waiting'))
    assert.equal(lines[2], 'node bin/orchestratord.cjs top')
  })

  it('one’s own llama-server and a client of OpenAI are five more lines', async () => {
    const written = block('sh', 'llama-server -m').trim().split(' ')
    const { argv, env: more } = llamaServer(...written.slice(1))
    begin(
      here(
        argv
          .map((word) => `'${word}'`)
          .join(' ')
          .replace(/'--port' '8081'/, '--port 8081'),
      ),
      more,
    )
    await ready(`http://127.0.0.1:${ports[1]}/health`)
    await start(block('sh', '--engine'))
    const program = block('js', 'openai')
    assert.equal(program.trim().split('\n').length, 5)
    writeFileSync(join(dir.path, 'client.mjs'), here(program))
    const { stdout } = await run(process.execPath, ['client.mjs'], { cwd: dir.path, env })
    assert.match(stdout, /\w.*[.!?"]$/)
  })

  let key: string

  it('a key is made, and a forgotten letter is mended by its message alone', async () => {
    const command = /`(node bin\/orchestratord\.cjs keys create [^`]*)`/.exec(section)?.[1] ?? assert.fail()
    const { stdout, stderr } = await run('bash', ['-c', here(command)], { cwd: dir.path, env })
    key = stdout.trim()
    const line = /- (\{.*\})/.exec(stderr)?.[1] ?? assert.fail(stderr)
    const written = block('yaml', 'auth:')
    const shown = /- (\{.*\})/.exec(written)?.[1] ?? assert.fail()
    assert.equal(line.replace(/"key_sha256":"[0-9a-f]{64}"/, '"key_sha256":"..."'), shown)
    writeFileSync(join(dir.path, config), here(written.replace(shown, line)))
    const typo = await run('bash', ['-c', here(block('sh', 'typo.yaml'))], { cwd: dir.path, env }).catch((error: unknown) => error)
    assert.ok(typo instanceof Error && 'stderr' in typo)
    assert.equal(typo.stderr, block('', 'typo.yaml:'))
  })

  it('a key is used, and seen in usage', async () => {
    await start(block('sh', 'npm start -- --config'))
    const lines = block('sh', 'ORCHD_KEY').replace('orchd-...', key)
    const told = await shell(lines)
    const [head, row] = block('', 'DAY ').trim().split('\n')
    assert.ok(told.includes(`${head}\n`), told)
    assert.equal(told.trim().split('\n').at(-1)?.slice(10), row?.slice(10))
  })

  it('kill -9 before one’s eyes loses no word', async () => {
    env = { ...env, ORCHD_KEY: key }
    const command = block('sh', 'a long story').trim()
    const whole = await shell(command)
    const words = /^node bin\/orchestratord\.cjs (run) "(.*)" (.*)$/.exec(command) ?? assert.fail(command)
    const terminal = terminalOf([words[1] ?? '', words[2] ?? '', ...(words[3] ?? '').split(' ')], { NO_COLOR: '1' }, 2000)
    try {
      await until(() => terminal.screen.split(' ').length > 20)
      const ended = new Promise((resolve) => daemon?.once('exit', resolve))
      await shell(block('sh', 'pkill'))
      await ended
      await start(block('sh', 'npm start -- --config'))
      assert.equal(await terminal.ended, 0)
      assert.ok(terminal.screen.startsWith(whole.trim()), terminal.screen)
    } finally {
      terminal.close()
    }
  })

  it('the key has the limit that was asked for', async () => {
    const send = async (): Promise<Response> =>
      fetch(`${env['ORCHD_URL']}/v1/tasks`, {
        method: 'POST',
        headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
        body: JSON.stringify({ model_ref: 'mock:slow', prompt: 'Hello', max_tokens: 1 }),
      })
    // At once: the minute goes on while they are answered.
    const answers = await Promise.all(Array.from({ length: 120 }, send))
    const refused = answers.find(({ status }) => status === 429)
    assert.ok(refused !== undefined, answers.map(({ status }) => status).join(' '))
    assert.match(await refused.text(), /requests_per_minute|rate-limit/)
    assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  })
}

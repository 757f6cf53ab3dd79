import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { checkConfig } from '../../src/config/config.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { untilAnswer, until } from '../harness/wait.ts'
import { createClient, type Client } from '../../sdk/src/index.ts'
import { orchestratord, start, type Ended, type RunOptions } from './command.ts'

const held = { prefill_ms: 0, token_ms: 60_000, tokens: 8 }

describe('the command line, against a daemon', () => {
  let daemon: TestDaemon
  let client: Client
  before(async () => {
    const pools = [
      mockPool({ mock: { prefill_ms: 0, token_ms: 1, tokens: 8 } }),
      mockPool({ id: 'held', model: 'mock:held', replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1 }, mock: held }),
    ]
    daemon = await startDaemon({ pools })
    client = createClient({ baseUrl: daemon.url, key: keys.all })
  })
  after(() => daemon.stop())

  const env = (key: string = keys.all): Readonly<Record<string, string>> => ({ ORCHD_URL: daemon.url, ORCHD_KEY: key })
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Ended> => orchestratord(args, { env: env(), ...options })
  const json = async (args: readonly string[]): Promise<unknown> => {
    const { status, stdout, stderr } = await run([...args, '--json'])
    assert.deepEqual([status, stderr], [0, ''])
    return JSON.parse(stdout)
  }

  it('run prints the text and nothing else', async () => {
    const { status, stdout, stderr } = await run(['run', 'Hello', '--model', 'mock:v1', '--seed', '7'])
    const text = await client.tasks.run({ model_ref: 'mock:v1', messages: [{ role: 'user', content: 'Hello' }], seed: 7 }).text()
    assert.deepEqual([status, stdout, stderr], [0, `${text}\n`, ''])
  })

  it('run takes the prompt from standard input, and tells events as JSON', async () => {
    const { status, stdout } = await run(['run', '-m', 'mock:v1', '--raw', '--max-tokens', '3', '--json'], { input: 'Once\n' })
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; task_id: string; data: Record<string, unknown> })
    assert.equal(status, 0)
    assert.deepEqual([events[0]?.event, events.at(-1)?.event, events.at(-1)?.data['tokens_out']], ['started', 'end', 3])
    assert.equal((await client.tasks.get(events[0]!.task_id)).state, 'completed')
  })

  it('run cancels its task at Ctrl-C, and ends with 130', async () => {
    const { child, printed, ended } = start(['run', 'Hello', '-m', 'mock:held', '--json'], { env: env() })
    await until(() => printed.stdout.includes('\n'))
    const { task_id } = JSON.parse(printed.stdout.split('\n')[0]!) as { task_id: string }
    child.kill('SIGINT')
    const { status, stderr } = await ended
    assert.deepEqual([status, stderr], [130, ''])
    assert.equal((await client.tasks.get(task_id)).state, 'canceled')
  })

  it('run says why a task failed, with 1, and what was refused, with 3', async () => {
    const { task_id } = await client.tasks.create({ model_ref: 'mock:held', prompt: 'Hello' })
    const [failed, refused] = [start(['run', 'Hello', '-m', 'mock:held', '--json'], { env: env() }), await run(['run', 'Hello'])]
    await until(() => failed.printed.stdout.includes('\n'))
    const full = await run(['run', 'Hello', '-m', 'mock:held', '--patience', '0'])
    const { task_id: waiting } = JSON.parse(failed.printed.stdout.split('\n')[0]!) as { task_id: string }
    await client.tasks.cancel(waiting)
    await client.tasks.cancel(task_id)
    assert.deepEqual([(await failed.ended).status, (await failed.ended).stderr], [1, 'orchestratord: Canceled by the client.\n'])
    assert.equal(refused.status, 3)
    assert.equal(
      refused.stderr,
      'orchestratord: refused (400 INVALID_PARAMS): body.model_ref: is required where several models are served: mock:v1, mock:held\n',
    )
    assert.equal(full.status, 3)
    assert.match(full.stderr, /^orchestratord: refused \(429 ADMISSION_REJECT\): .* Try again in \d+ s\.\n$/)
  })

  it('tasks lists them, shows one, and cancel cancels', async () => {
    const { task_id } = await client.tasks.create({ task_id: 'mine', model_ref: 'mock:held', prompt: 'Hello' })
    await untilAnswer(
      () => client.tasks.get(task_id),
      ({ state }) => state === 'running',
    )
    const list = await run(['tasks', '--state', 'running'])
    assert.match(
      list.stdout,
      /^TASK +STATE +OWNER +MODEL +POOL +PRIORITY +AGE +PLACE +TOKENS\nmine +running +all +mock:held +held +interactive +\d\.\d s +- +-\n$/,
    )
    assert.match((await run(['tasks', 'mine'])).stdout, /^state +running$/m)
    assert.equal((await run(['cancel', 'mine'])).stdout, 'mine is canceled, or had ended before.\n')
    assert.equal(((await json(['tasks', 'mine'])) as { state: string }).state, 'canceled')
    assert.deepEqual(await json(['tasks', '--state', 'running']), { tasks: [] })
  })

  it('tasks says how to see the next page', async () => {
    const { stderr } = await run(['tasks', '--limit', '1'])
    const [, cursor = ''] = /^more: --cursor ([\w-]+)\n$/.exec(stderr) ?? assert.fail(stderr)
    assert.equal((await run(['tasks', '--limit', '1', '--cursor', cursor])).status, 0)
  })

  it('pools, drain, resume and reload work on pools', async () => {
    const row = (state: string): RegExp => new RegExp(`^mock +mock +mock:v1 +${state} +0 +4 +0$`, 'm')
    assert.match((await run(['pools'])).stdout, row('ready'))
    assert.match((await run(['drain', 'mock', '--deadline', '1'])).stdout, row('draining'))
    assert.match(
      (await run(['pools', 'mock'])).stdout,
      /^draining, 0 of 4 slots busy, 0 interactive and 0 batch tasks wait\nREPLICA +STATE/,
    )
    assert.match((await run(['resume', 'mock'])).stdout, row('ready'))
    assert.equal(((await json(['reload', 'mock', 'mock:v2'])) as { model_ref: string }).model_ref, 'mock:v2')
    assert.equal(((await json(['reload', 'mock', 'mock:v1'])) as { model_ref: string }).model_ref, 'mock:v1')
  })

  it('tasks filters, and shows the task of another key by its owner', async () => {
    const other = createClient({ baseUrl: daemon.url, key: keys.data })
    const { task_id } = await other.tasks.create({ task_id: 'nightly-1', model_ref: 'mock:v1', prompt: 'Hello' })
    await untilAnswer(
      () => other.tasks.get(task_id),
      ({ state }) => state === 'completed',
    )
    const ids = async (...args: string[]): Promise<string[]> =>
      ((await json(['tasks', ...args])) as { tasks: { task_id: string }[] }).tasks.map((task) => task.task_id)
    assert.deepEqual(await ids('--id', 'nightly-', '--owner', 'data', '--pool', 'mock', '--from', '2020-01-01'), ['nightly-1'])
    assert.deepEqual(await ids('--id', 'nightly-', '--to', '2020-01-01'), [])
    assert.ok((await ids('--code', 'CANCELED')).includes('mine'))
    assert.match((await run(['tasks', 'nightly-1', '--owner', 'data'])).stdout, /^state +completed$/m)
    assert.match((await run(['tasks', '--code', 'OOPS'])).stderr, /code/)
    assert.match((await run(['tasks', '--from', 'yesterday'])).stderr, /a day or a point in time/)
  })

  it('sessions lists them and shows one', async () => {
    await client.sessions.put('talk', { ttl_ms: 60_000, budgets: { tokens: 500 } })
    assert.match((await run(['sessions'])).stdout, /^SESSION +OWNER +AGE[^]*^talk +all +\S+ s +\S+ \S+ +0 +0 +500 +-$/m)
    assert.match((await run(['sessions', 'talk'])).stdout, /^tokens_budget_remaining +500$/m)
    const page = (await json(['sessions', '--owner', 'data'])) as { sessions: { owner: string }[] }
    assert.deepEqual([...new Set(page.sessions.map(({ owner }) => owner))], ['data'])
    assert.match((await run(['sessions', '--limit', '1'])).stderr, /^more: --cursor /)
  })

  it('load and unload say why they cannot, and a dry run what would follow', async () => {
    const refused = await run(['load', 'mock'])
    assert.deepEqual([refused.status, refused.stderr.includes('in no group')], [3, true])
    assert.match((await run(['unload', 'mock', '--dry-run'])).stderr, /in no group/)
    assert.equal(
      (await run(['drain', 'mock', '--dry-run'])).stdout,
      'mock: 0 tasks run and end; of 0 that wait 0 move, 0 stay; 0 will probably be late.\n',
    )
    assert.deepEqual(((await json(['drain', 'mock', '--dry-run'])) as { pools: string[] }).pools, ['mock'])
    assert.match((await run(['pools'])).stdout, /^mock .* ready /m)
  })

  it('config shows what runs', async () => {
    const { stdout, stderr } = await run(['config'])
    assert.match(stdout, /^pools:\n {2}- id: mock$/m)
    assert.match(stderr, /^loaded at /m)
    assert.equal(typeof ((await json(['config'])) as { loaded_at: string }).loaded_at, 'string')
    assert.equal((await run(['config'], { env: env(keys.data) })).status, 3)
  })

  it('models, usage and top tell what there is', async () => {
    assert.match((await run(['models'])).stdout, /^mock:held +yes +8192 +held +held$/m)
    assert.match((await run(['usage'])).stdout, /^\d{4}-\d\d-\d\d +all +mock:v1 +[1-9]/m)
    assert.match((await run(['top'])).stdout, /^> mock +mock +mock:v1/m)
    assert.equal(((await json(['top'])) as { pool_id: string }).pool_id, 'mock')
  })

  it('keys create makes a key that the line of the configuration lets in', async () => {
    const { stdout, stderr } = await run(['keys', 'create', 'ann', '--roles', 'data,control', '--models', 'mock:v1'])
    const { auth } = checkConfig({ auth: { keys: [JSON.parse(/- (\{.*\})/.exec(stderr)![1]!)] } })
    const second = await startDaemon({ auth })
    try {
      assert.equal((await orchestratord(['pools'], { env: { ORCHD_URL: second.url, ORCHD_KEY: stdout.trim() } })).status, 0)
      assert.equal((await orchestratord(['run', 'Hi'], { env: { ORCHD_URL: second.url, ORCHD_KEY: stdout.trim() } })).status, 0)
    } finally {
      await second.stop()
    }
  })

  it('chat keeps the conversation, a task for each line', async () => {
    const { status, stdout } = await run(['chat', '-m', 'mock:v1', '--json'], { input: 'Hello\n\nAnd then?\n' })
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { task_id: string; content: string })
    assert.deepEqual([status, answers.length], [0, 2])
    const sizes = await Promise.all(answers.map(async ({ task_id }) => (await client.tasks.get(task_id)).tokens_in ?? 0))
    assert.ok(sizes[1]! > sizes[0]! + 8, String(sizes))
    const plain = await run(['chat', '-m', 'mock:v1'], { input: 'Hello\n' })
    assert.match(plain.stdout, /^\S.*\n$/)
  })

  it('bench counts what it has measured', async () => {
    const report = (await json(['bench', '-m', 'mock:v1', '--tasks', '24', '--clients', '8'])) as Record<string, unknown>
    assert.deepEqual([report['tasks'], report['failed']], [24, 0])
    assert.ok(Number(report['tokens_per_second']) > 0)
    const { stdout } = await run(['bench', '-m', 'mock:v1', '--tasks', '4', '--clients', '1'])
    assert.match(stdout, /^4 tasks in .*, 0 failed\n {2}throughput +[\d.]+ tasks\/s, [\d.]+ tokens\/s\n/)
  })

  it('completion completes commands, those below them, and options, in bash', async () => {
    const { stdout } = await run(['completion', 'bash'])
    const completed = (words: readonly string[]): string =>
      execFileSync(
        'bash',
        [
          '-c',
          `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orchestratord; echo "\${COMPREPLY[@]}"`,
          '-',
          'orchestratord',
          ...words,
        ],
        {
          encoding: 'utf8',
        },
      ).trim()
    assert.deepEqual([['ta'], ['keys', ''], ['keys', 'create', '--ro'], ['load', 'mock', '--d'], ['tasks', '--st']].map(completed), [
      'tasks',
      'create --help',
      '--roles',
      '--dry-run',
      '--state',
    ])
    assert.match(
      (await run(['completion', 'fish'])).stdout,
      /^complete -c orchestratord -n '__fish_seen_subcommand_from drain' -l deadline -d '/m,
    )
    assert.match((await run(['completion', 'zsh'])).stdout, /bashcompinit/)
  })

  it('says what to do where the key is wrong, and where nobody answers', async () => {
    const wrong = await run(['pools'], { env: env('wrong') })
    assert.equal(wrong.status, 3)
    assert.match(wrong.stderr, /^orchestratord: refused \(403 FORBIDDEN\): .* Name a key with --key or ORCHD_KEY\.\n$/)
    const gone = await startDaemon()
    await gone.stop()
    const nobody = await run(['run', 'Hello', '--url', gone.url])
    assert.equal(nobody.status, 4)
    assert.equal(
      nobody.stderr,
      `orchestratord: no daemon answers at ${gone.url} (ECONNREFUSED): start one with "orchestratord", or name it with --url\n`,
    )
  })

  it('ends quietly where nobody reads what it says', async () => {
    const { child, ended } = start(['run', 'Hello', '-m', 'mock:v1', '--json'], { env: env() })
    child.stdout?.destroy()
    const { status, stderr } = await ended
    assert.deepEqual([status, stderr], [0, ''])
  })
})

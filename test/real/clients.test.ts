import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { roomyPool } from '../doors/captures.kit.ts'
import { startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { clientLines, ClientUser, startGuard, withClient, type Guard, type RealClient } from '../harness/real-clients.ts'
import { calling, saying, ScriptedModel, type Script } from '../harness/scripted-model.ts'

const folder = join(import.meta.dirname, '../../examples/clients')
const own = 'http://127.0.0.1:8080'
const sections = clientLines(readFileSync(join(folder, 'README.md'), 'utf8'))
const readme = clientLines(readFileSync(join(folder, '../../README.md'), 'utf8')).find(({ title }) => title === 'Your clients')

const greeting = 'A scripted model says hello.'
const written = 'from the model\n'

/** Calls one tool, and says something once it has the result. */
const using =
  (name: string, given: object): Script =>
  ({ messages, tools = [] }) => {
    const offered = tools.some((tool) => tool.function.name === name)
    return offered && !messages.some(({ role }) => role === 'tool') ? calling(name, given) : saying(greeting)
  }

/** How a model writes a file with each agent. */
const agents: Readonly<Record<string, { readonly client: RealClient; readonly writes: (file: string) => Script }>> = {
  'Claude Code': { client: 'claude-code', writes: (file_path) => using('Write', { file_path, content: written }) },
  Codex: { client: 'codex', writes: (file) => using('exec_command', { cmd: `printf '${written.trim()}\\n' >'${file}'` }) },
  opencode: { client: 'opencode', writes: (filePath) => using('write', { filePath, content: written }) },
  'Qwen Code': { client: 'qwen-code', writes: (file_path) => using('write_file', { file_path, content: written }) },
  pi: { client: 'pi', writes: (path) => using('write', { path, content: written }) },
  aider: { client: 'aider', writes: () => () => saying(`${greeting}\n\nhello.txt\n\`\`\`\n${written}\`\`\`\n`) },
}

describe('real clients, by the lines for their users', function () {
  this.timeout(600_000)
  let daemon: TestDaemon
  let guard: Guard
  let script: Script = () => saying(greeting)
  before(async () => {
    guard = await startGuard()
    const key = { name: 'user', key_sha256: createHash('sha256').update('valid').digest('hex'), roles: ['data'] }
    const model = new ScriptedModel((conversation, request) => script(conversation, request))
    daemon = await startDaemon({ pools: [roomyPool()], auth: { keys: [key] } }, { engines: () => model })
  })
  after(async () => {
    await daemon.stop()
    await guard.close()
  })

  /** Runs with a user of a client, who leaves nothing and has asked nobody else. */
  async function as(client: RealClient, run: (user: ClientUser) => Promise<void>): Promise<void> {
    const user = new ClientUser(client, guard)
    guard.hosts.length = 0
    try {
      await run(user)
      assert.deepEqual(guard.hosts, [], 'nothing is asked of other hosts')
    } finally {
      user.leave()
    }
  }

  for (const [title, { client, writes }] of Object.entries(agents))
    withClient(client, title, () => {
      it('lets the model write a file', () =>
        as(client, async (user) => {
          const lines = sections.find((section) => section.title === title)
          assert.ok(lines)
          script = writes(join(user.project, 'hello.txt'))
          const { status, output } = await user.follow(lines, own, daemon.url)
          assert.equal(status, 0, output)
          assert.ok(output.includes(greeting), output)
          assert.equal(user.wrote('hello.txt'), written, output)
        }))
    })

  withClient('python-clients', 'llm', () => {
    it('gives the model the result of a tool', () =>
      as('python-clients', async (user) => {
        const lines = sections.find((section) => section.title === 'llm')
        assert.ok(lines)
        script = ({ messages, tools = [] }) => {
          const result = messages.find(({ role }) => role === 'tool')?.content
          return typeof result === 'string' ? saying(`It is ${result}.`) : calling(tools[0]?.function.name ?? 'none', {})
        }
        const { status, output } = await user.follow(lines, own, daemon.url)
        assert.equal(status, 0, output)
        assert.match(output, /It is \d+\.\d+/)
      }))
  })

  withClient('python-clients', 'the files in Python', () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.py')))
      it(`${name} is answered as it is written`, () =>
        as('python-clients', async (user) => {
          script = () => saying(greeting)
          const { status, output } = await user.run(['python', join(folder, name)], { ORCHD_URL: daemon.url })
          assert.equal(status, 0, output)
          assert.equal(output.trim(), greeting)
        }))
  })

  it('every client with lines of its own is run', () => {
    assert.deepEqual(sections.map(({ title }) => title).sort(), [...Object.keys(agents), 'llm'].sort())
  })

  it('the versions that are named are those that run', () => {
    const [pins, manifest] = ['scripts/test-clients.sh', 'package.json'].map((file) => readFileSync(join(folder, '../..', file), 'utf8'))
    const named = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| .* \| .* \| (\d.*) \|$/gm)]
    const versions = named.flatMap(([, cell = '']) => cell.split(', '))
    assert.ok(versions.length > 10)
    for (const version of versions)
      assert.match(`${pins ?? ''}${manifest ?? ''}`, new RegExp(`(@|==|: ")${version.replaceAll('.', '\\.')}[ ;"]`))
  })

  it('the README says the same as the examples', () => {
    const lines = (readme?.script ?? '').split('\n').filter((line) => line !== '')
    assert.ok(lines.length > 0)
    for (const line of lines)
      assert.ok(
        sections.some(({ script }) => script.split('\n').includes(line)),
        line,
      )
  })
})

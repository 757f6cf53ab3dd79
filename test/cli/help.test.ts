import assert from 'node:assert/strict'
import type { Command } from 'commander'
import { programOf } from '../../cli/program.ts'
import { exit } from '../../cli/common/exit.ts'
import { orchestratord } from './command.ts'

/** A command and those below it that do something. */
const leaves = (command: Command): Command[] => (command.commands.length === 0 ? [command] : command.commands.flatMap(leaves))

/** The help of a command as it is printed. */
function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  command.outputHelp()
  return help
}

const examplesOf = (command: Command): string[] =>
  helpOf(command)
    .split('\nExamples:\n')[1]
    ?.split('\n')
    .flatMap((line) => /^ {2}(\S.*)$/.exec(line)?.[1] ?? []) ?? []

/** The words of an example after `orchestratord`, as a shell divides them. */
const wordsOf = (example: string): string[] =>
  [...(/orchestratord ([^)]*)/.exec(example)?.[1] ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')

const commands = leaves(programOf()).filter((command) => command.name() !== 'serve')

describe('the help of the command line', () => {
  for (const command of commands)
    it(`${command.parent?.name()} ${command.name()} has examples, and takes them`, async () => {
      const examples = examplesOf(command)
      assert.ok(examples.length > 0)
      for (const example of examples) {
        const program = programOf()
        let taken: string | undefined
        for (const leaf of leaves(program)) leaf.action(() => void (taken = leaf.name()))
        await program.parseAsync(wordsOf(example), { from: 'user' })
        assert.equal(taken, command.name(), example)
      }
    })

  for (const command of commands)
    it(`${command.parent?.name()} ${command.name()} can speak JSON and says what each option does`, () => {
      assert.ok(command.options.some(({ long }) => long === '--json') || command.name() === 'completion')
      for (const { description, flags } of command.options) assert.ok(description.length > 5, flags)
    })

  it('lists the exit statuses that there are', async () => {
    const { status, stdout } = await orchestratord(['help'])
    assert.equal(status, 0)
    const listed = [...stdout.matchAll(/^ {2}(\d+) {2,}\S/gm)].map(([, number]) => Number(number))
    assert.deepEqual(listed, Object.values(exit))
  })

  it('of a wrong command line is one line, with 2', async () => {
    const says: Record<string, string> = {
      pool: "unknown command 'pool' (Did you mean pools?) (orchestratord --help shows what it takes)",
      drain: "missing required argument 'pool' (orchestratord drain --help shows what it takes)",
      'pools --jsn': "unknown option '--jsn' (Did you mean --json?) (orchestratord pools --help shows what it takes)",
      'tasks --limit 0':
        "option '--limit <number>' argument '0' is invalid. It has to be a whole number from 1 to 200. (orchestratord tasks --help shows what it takes)",
      'tasks --url box':
        "option '--url <url>' argument 'box' is invalid. It has to be a URL such as http://127.0.0.1:8080. (orchestratord tasks --help shows what it takes)",
      run: 'a prompt is missing: orchestratord run "Tell me a story"',
      'keys create x --roles root': '--roles takes data, control or data,control',
      'keys create x --roles ,': '--roles takes data, control or data,control',
    }
    for (const [args, says_] of Object.entries(says)) {
      const { status, stdout, stderr } = await orchestratord(args.split(' '))
      assert.deepEqual([status, stdout, stderr], [2, '', `orchestratord: ${says_}\n`])
    }
  })

  it('of the daemon is its own, with and without serve', async () => {
    for (const args of [['--help'], ['serve', '--help']]) assert.match((await orchestratord(args)).stdout, /--engine URL +serve the engine/)
    assert.match((await orchestratord(['serve', '--version'])).stdout, /^orchestratord \d/)
    assert.deepEqual((await orchestratord(['serve', '--chek'])).status, 1)
  })
})

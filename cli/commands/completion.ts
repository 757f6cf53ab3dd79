import { Argument, Command } from 'commander'
import { say } from '../common/output.ts'

/** A command by its words, what may follow it, and its options. */
interface Entry {
  readonly words: readonly string[]
  readonly next: readonly { readonly word: string; readonly does: string }[]
}

/** `completion`: what a shell reads to complete commands and options. @param program gives all commands */
export const completion = (program: () => Command): Command =>
  new Command('completion')
    .description('Print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(orchestratord completion bash)\n  orchestratord completion zsh\n  orchestratord completion fish',
    )
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      const entries = entriesOf(program(), [])
      say(shell === 'bash' ? bash(entries) : shell === 'zsh' ? zsh(entries) : fish(entries))
    })

function entriesOf(command: Command, words: readonly string[]): Entry[] {
  const commands = command.commands.map((one) => ({ word: one.name(), does: one.description() }))
  const options = command.options.flatMap(({ long, description }) => (long == null ? [] : [{ word: long, does: description }]))
  const next = [...commands, ...options, { word: '--help', does: 'print help' }]
  return [{ words, next }, ...command.commands.flatMap((one) => entriesOf(one, [...words, one.name()]))]
}

/** The words typed before the cursor, without options, lead to the entry. */
function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ words, next }) => `    '${words.join(' ')}') words='${next.map(({ word }) => word).join(' ')}' ;;`)
  return `_orchestratord() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) break ;;
      *) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
    *) path="\${path%% *}"
      case "$path" in
${cases.map((line) => `    ${line}`).join('\n')}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _orchestratord orchestratord`
}

/** zsh reads bash's completions. */
const zsh = (entries: readonly Entry[]): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(entries)}`

function fish(entries: readonly Entry[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  return entries
    .flatMap(({ words, next }) => {
      const condition =
        words.length === 0 ? '__fish_use_subcommand' : words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
      return next.map(({ word, does }) => {
        const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
        return `complete -c orchestratord -n ${quoted(condition)} ${what} -d ${quoted(does)}`
      })
    })
    .join('\n')
}

import { Command } from 'commander'
import { bench } from './commands/bench.ts'
import { cancel } from './commands/cancel.ts'
import { chat } from './commands/chat.ts'
import { completion } from './commands/completion.ts'
import { config } from './commands/config.ts'
import { contract } from './commands/contract.ts'
import { keys } from './commands/keys.ts'
import { drain, load, unload } from './commands/loads.ts'
import { models } from './commands/models.ts'
import { pools, reload, resume } from './commands/pools.ts'
import { run } from './commands/run.ts'
import { sessions } from './commands/sessions.ts'
import { tasks } from './commands/tasks.ts'
import { top } from './commands/top.ts'
import { usage } from './commands/usage.ts'
import { verify } from './commands/verify.ts'
import { doctor } from './commands/doctor.ts'
import { init } from './commands/init.ts'
import { exitText } from './common/exit.ts'

/** All commands but `serve`, which is the program without a command and does without this parser. */
export function programOf(): Command {
  const program = new Command('orchestratord')
    .description('An HTTP daemon between many clients and a few inference engines, and its command line.')
    .usage('[command] [options]')
    .addHelpText('after', `\nExamples:\n  orchestratord run --help\n\n${exitText}`)
  program.command('serve').description('Run the daemon; what it does without a command (orchestratord serve --help)')
  const work = [run(), chat(), top(), tasks(), cancel(), sessions()]
  const running = [pools(), drain(), resume(), reload(), load(), unload(), models(), usage(), config()]
  const others = [keys(), init(), doctor(), bench(), verify(), contract(), completion(programOf)]
  for (const one of [...work, ...running, ...others]) program.addCommand(one)
  every(program)
  return program
}

/** What is wrong is one line on standard error, and where help is. */
function every(command: Command): void {
  command.exitOverride().showSuggestionAfterError()
  command.configureOutput({
    outputError: (text, write) => {
      const path = [command.parent?.name(), command.name()].filter((name) => name !== undefined).join(' ')
      write(
        `orchestratord: ${text
          .trim()
          .replace(/^error: /, '')
          .replaceAll('\n', ' ')} (${path} --help shows what it takes)\n`,
      )
    },
  })
  command.commands.forEach(every)
}

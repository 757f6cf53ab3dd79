import type { Command } from 'commander'
import { command, type Common } from '../common/command.ts'
import { CommandError } from '../common/exit.ts'
import { say, sayJson, styled } from '../common/output.ts'
import type { Finding } from '../machine/doctor.ts'

/** `doctor`: what would keep a daemon from running here, each with its fix. */
export const doctor = (): Command =>
  command('doctor', 'Look at what a daemon needs on this machine: configuration, port, data, engines, GPUs, clock, disk', [
    'orchestratord doctor',
    'orchestratord doctor --config /etc/orchestratord.yaml --json',
  ])
    .option('--config <file>', 'the configuration; ./orchestratord.yaml unless given, if it is there')
    .action(async ({ config: file, json }: Common & { readonly config?: string }) => {
      const { examine } = await import('../machine/doctor.ts')
      const findings = await examine(file)
      if (json === true) sayJson({ findings })
      else for (const finding of findings) say(textOf(finding))
      const problems = findings.filter(({ state }) => state === 'problem').length
      if (problems > 0)
        throw new CommandError(
          `${problems} ${problems === 1 ? 'problem keeps' : 'problems keep'} a daemon from running here as configured: see the fixes`,
        )
    })

function textOf({ what, state, says, fix }: Finding): string {
  const mark = state === 'ok' ? styled('green', 'ok     ') : state === 'warning' ? styled('yellow', 'warning') : styled('red', 'problem')
  return `${mark}  ${what.padEnd(14)}${says}${fix === undefined ? '' : `\n         ${' '.repeat(14)}fix: ${fix}`}`
}

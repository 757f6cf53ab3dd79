import type { Command } from 'commander'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { asking, type Asking } from '../common/command.ts'
import { CommandError, usageError } from '../common/exit.ts'
import { say, sayJson, styled } from '../common/output.ts'
import type { Check } from '../verify/walk.ts'

interface Options extends Asking {
  readonly contract?: string
  readonly junit?: string
  readonly model?: string
  readonly readOnly?: boolean
}

/** `verify`: a deployment keeps the contract. */
export const verify = (): Command =>
  asking('verify', 'Hold a deployment to the contract: every answer that any deployment can be asked for without changing it for others', [
    'orchestratord verify --url http://127.0.0.1:8080 --key valid',
    'orchestratord verify --model mock:v1 --junit verify.xml',
    'orchestratord verify --read-only --json',
  ])
    .option(
      '--contract <file>',
      'the contract that you rely on, as /openapi/orchestratord.json served it; that of this program unless given',
    )
    .option('--junit <file>', 'write the report there as JUnit XML, too')
    .option('-m, --model <name>', 'what its tasks ask for; the first model that is ready unless given')
    .option('--read-only', 'run no tasks')
    .action(async (options: Options) => {
      // Only this command needs what checks schemas.
      const [{ Promised }, { Walk }, { walkAll }, { junitOf }] = await Promise.all([
        import('../verify/promise.ts'),
        import('../verify/walk.ts'),
        import('../verify/steps.ts'),
        import('../verify/junit.ts'),
      ])
      const promised = new Promised(contractText(options.contract))
      const walk = new Walk(options.url, options.key, promised, (check) => {
        if (options.json !== true) say(lineOf(check))
      })
      const fresh = (purpose: string): string => `verify-${purpose}-${randomUUID()}`
      await walkAll(walk, { model: options.model, runs: options.readOnly !== true, fresh })
      const { checks } = walk
      const failed = checks.filter(({ problems }) => problems.length > 0).length
      const skipped = checks.filter((check) => check.skipped !== undefined).length
      if (options.junit !== undefined) writeFileSync(options.junit, junitOf(checks, `orchestratord contract ${promised.version}`))
      const total = `${checks.length - failed - skipped} answers keep contract ${promised.version}, ${failed} do not, ${skipped} were not asked for`
      if (options.json === true) sayJson({ contract: promised.version, failed, skipped, checks })
      else say(total)
      if (failed > 0) throw new CommandError(`the deployment at ${options.url} breaks the contract: ${failed} answers, see above`)
    })

/** A contract's text. @throws CommandError where the file cannot be read */
export function contractText(file: string | URL = new URL('../../generated/openapi-client.json', import.meta.url)): string {
  try {
    const text = readFileSync(file, 'utf8')
    JSON.parse(text)
    return text
  } catch (cause) {
    throw usageError(`${String(file)} is no contract: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function lineOf({ operation, what, problems, skipped }: Check): string {
  const text = `${operation} ${what}`
  if (skipped !== undefined) return styled('dim', `skip  ${text}: ${skipped}`)
  if (problems.length === 0) return `${styled('green', 'ok')}    ${text}`
  return [`${styled('red', 'FAIL')}  ${text}`, ...problems.map((problem) => `      ${problem}`)].join('\n')
}

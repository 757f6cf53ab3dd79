import { Command } from 'commander'
import { createHash, randomBytes } from 'node:crypto'
import { command, listOf, wholeNumber, type Common } from '../common/command.ts'
import { usageError } from '../common/exit.ts'
import { note, say, sayJson } from '../common/output.ts'

interface Options extends Common {
  readonly roles: readonly string[]
  readonly models?: readonly string[]
  readonly requestsPerMinute?: number
}

/** `keys`: what makes keys. The daemon knows only their digests, so that nobody can print one a second time. */
export const keys = (): Command =>
  new Command('keys')
    .description('Make API keys')
    .addCommand(
      command('create <name>', 'Make a key: print it once, and the line of the configuration that lets it in', [
        'orchestratord keys create ann',
        'orchestratord keys create ops --roles data,control',
        'orchestratord keys create app --models storyteller --requests-per-minute 60 --json',
      ])
        .option('--roles <list>', "data (tasks), control (pools, everybody's tasks)", listOf, ['data'])
        .option('--models <list>', 'only these models', listOf)
        .option('--requests-per-minute <number>', 'most requests a minute', wholeNumber(1, 1_000_000))
        .action(create),
    )

function create(name: string, { roles, models, requestsPerMinute, json }: Options): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw usageError(`${JSON.stringify(name)} is no name of a key: letters, digits, ".", "_" and "-"`)
  const wrong = roles.filter((role) => role !== 'data' && role !== 'control')
  if (wrong.length > 0 || roles.length === 0) throw usageError('--roles takes data, control or data,control')
  const key = `orchd-${randomBytes(32).toString('base64url')}`
  const limits = {
    ...(models === undefined ? {} : { models }),
    ...(requestsPerMinute === undefined ? {} : { requests_per_minute: requestsPerMinute }),
  }
  const line = {
    name,
    key_sha256: createHash('sha256').update(key).digest('hex'),
    roles,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  }
  if (json === true) {
    sayJson({ key, config: line })
    return
  }
  say(key)
  note('\nThe key is above, and will not be shown again. In the configuration, under auth.keys:\n')
  // JSON is YAML, and quoted a digest of digits stays a text.
  note(`    - ${JSON.stringify(line)}`)
}

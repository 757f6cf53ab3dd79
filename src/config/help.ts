import { readFileSync } from 'node:fs'
import { variableNames } from './environment.ts'
import { defaultFile } from './file.ts'

/** What `--help` prints. */
export const helpText = `Usage: orchestratord [--config FILE] [--check]

An HTTP daemon between many clients and a few inference engines.

  --config FILE  the configuration, YAML; ./${defaultFile} unless given, if it is there
  --check        only check the configuration; exit 0 where it is fine, 1 where it is not
  --help, -h     print this
  --version, -v  print the version

Environment, in place of what the file says:
${variableNames.map(([name, path]) => `  ${name.padEnd(16)}${path}`).join('\n')}

Examples:
  orchestratord
  orchestratord --config /etc/orchestratord.yaml --check
  ORCHD_ADDR=127.0.0.1:8080 ORCHD_API_KEYS=ann:a-long-secret orchestratord`

/** What `--version` prints. */
export function versionText(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return `orchestratord ${version}`
}

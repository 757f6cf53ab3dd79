import { variableNames } from './environment.ts'
import { defaultFile } from './file.ts'
import { versionOf } from './version.ts'

/** What `--help` prints. */
export const helpText = `Usage: orchestratord [serve] [--config FILE] [--engine URL]... [--check]
       orchestratord COMMAND

An HTTP daemon between many clients and a few inference engines. Commands ask one that runs; orchestratord help lists them.

  --config FILE  the configuration, YAML; ./${defaultFile} unless given, if it is there
  --engine URL   serve the engine that answers there, in place of the configured pools; once for each, no file is needed;
                 URL#MODEL where it serves several models
  --check        only check the configuration; exit 0 where it is fine, 1 where it is not
  --help, -h     print this
  --version, -v  print the version

Environment, in place of what the file says:
${variableNames.map(([name, path]) => `  ${name.padEnd(16)}${path}`).join('\n')}

Examples:
  orchestratord
  orchestratord --engine http://127.0.0.1:8081 --engine http://127.0.0.1:11434#qwen3:8b
  orchestratord --config /etc/orchestratord.yaml --check
  ORCHD_ADDR=127.0.0.1:8080 ORCHD_API_KEYS=ann:a-long-secret orchestratord`

/** What `--version` prints. */
export function versionText(): string {
  return `orchestratord ${versionOf()}`
}

import { relative } from 'node:path'
import { createConfig, getLineColLocation, lint } from '@redocly/openapi-core'
import { housePlugin } from './rules.ts'

/**
 * Lints contracts against Redocly's recommended rules and ours. Warnings count: a rule that may be ignored is none.
 * @param root what the files are named from
 * @param rules ours beside the recommended ones
 * @returns one line for each problem, `file:line:column rule message`
 */
export async function lintContracts(root: string, files: readonly string[], rules: Readonly<Record<string, 'error'>>): Promise<string[]> {
  const config = await createConfig({ plugins: [housePlugin()], extends: ['recommended'], rules })
  // A shared component is met once for each file that refers to it.
  const lines = new Set<string>()
  for (const ref of files)
    for (const { message, ruleId, location } of await lint({ ref, config })) {
      const [place] = location
      const start = place === undefined ? undefined : getLineColLocation(place).start
      lines.add(
        `${place === undefined ? ref : relative(root, place.source.absoluteRef)}:${start?.line ?? 1}:${start?.col ?? 1} ${ruleId} ${message}`,
      )
    }
  return [...lines]
}

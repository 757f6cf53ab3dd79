import type { Section } from './section.ts'

/** A section as it was run. */
export interface Measured {
  readonly section: Section
  /** What it ran on. */
  readonly machine: string
  readonly date: string
}

const title = '# Results\n\nWhat `npm run bench -- --record` measured last, each section on its day.\n'

/**
 * The document of results, missed goals included.
 * @param document the one there is: sections that were not run stay in it
 * @param order names of all sections there are, in the order in which the document has them
 */
export function withResults(document: string, measured: ReadonlyMap<string, Measured>, order: readonly string[]): string {
  const parts = new Map(document.split(/^(?=## )/m).flatMap((part) => (part.startsWith('## ') ? [[nameOf(part), part.trimEnd()]] : [])))
  for (const [name, of] of measured) parts.set(name, asMarkdown(name, of))
  return `${[title.trimEnd(), ...order.flatMap((name) => parts.get(name) ?? [])].join('\n\n')}\n`
}

const nameOf = (part: string): string => /^## (.*)$/m.exec(part)?.[1] ?? ''

function asMarkdown(name: string, { section, machine, date }: Measured): string {
  const goals = section.goals.map(({ met, ...goal }) => ({ ...goal, met: met ? 'yes' : '**no**' }))
  return [`## ${name}`, `${date}, on ${machine}.`, section.title, table(section.rows), ...(goals.length > 0 ? [table(goals)] : [])].join(
    '\n\n',
  )
}

function table(rows: readonly object[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const line = (cells: readonly unknown[]): string => `| ${cells.map(String).join(' | ')} |`
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => (row as Record<string, unknown>)[column] ?? ''))),
  ].join('\n')
}

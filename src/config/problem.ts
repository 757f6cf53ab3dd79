/** The keys and indices that lead to a value of the configuration. */
export type Path = readonly (string | number)[]

/** One thing that is wrong. */
export interface Problem {
  readonly path: Path
  /** What is wrong and what would be right; a secret is never in it. */
  readonly says: string
}

/** The configuration cannot be used: one problem a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options)
  }
}

/** `pools[1].queue.capacity` */
export const pathText = (path: Path): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')

/** A problem without its source. */
export const problemText = ({ path, says }: Problem): string => `${path.length === 0 ? 'the configuration' : pathText(path)}: ${says}`

/** Whether the second path leads to the value of the first or to something in it. */
export const contains = (outer: Path, inner: Path): boolean => outer.every((step, i) => step === inner[i])

/** Longest value that a message shows in full, characters. */
const longest = 80

/** A value as a message shows it: nothing of what is in a mapping or a list, nor the credentials in a URL. */
export function valueText(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a mapping'
  const text = typeof value === 'string' ? JSON.stringify(value).replace(/\/\/.*@/, '//...@') : String(value)
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

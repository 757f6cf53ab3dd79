/** Reads Prometheus' text exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/) and holds it to its grammar. */

/** One line with a value. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Everything about one metric. */
export interface Family {
  readonly name: string
  readonly help: string | undefined
  readonly type: string | undefined
  readonly samples: readonly Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }

interface OpenFamily {
  name: string
  help: string | undefined
  type: string | undefined
  samples: Sample[]
}

/** @throws Error naming the line that is not of the format */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, OpenFamily>()
  const seen = new Set<string>()
  let current: OpenFamily | undefined
  const enter = (name: string): OpenFamily => {
    if (current?.name === name) return current
    if (families.has(name)) throw new Error(`the lines of ${name} do not stand together`)
    current = { name, help: undefined, type: undefined, samples: [] }
    families.set(name, current)
    return current
  }
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, about = '', rest = ''] = /^# (HELP|TYPE) (\S+)(?: (.*))?$/.exec(line) ?? []
    if (keyword !== undefined) {
      const family = enter(about)
      if (family.samples.length > 0) throw new Error(`${keyword} of ${about} comes after its samples`)
      if ((keyword === 'HELP' ? family.help : family.type) !== undefined) throw new Error(`${about} has two lines of ${keyword}`)
      if (keyword === 'HELP') family.help = unescape(rest)
      else family.type = rest
    } else if (line !== '' && !line.startsWith('#')) {
      const sample = parseSample(line)
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(identity)) throw new Error(`a sample is there twice: ${line}`)
      seen.add(identity)
      const belongs =
        current !== undefined &&
        (sample.name === current.name ||
          (suffixes[current.type ?? ''] ?? []).some((suffix) => sample.name === `${current?.name ?? ''}${suffix}`))
      ;(belongs && current !== undefined ? current : enter(sample.name)).samples.push(sample)
    }
  }
  return families
}

function parseSample(line: string): Sample {
  const refuse = (): never => {
    throw new Error(`not a sample: ${line}`)
  }
  const name = metricName.exec(line)?.[0] ?? refuse()
  let rest = line.slice(name.length)
  const labels: Record<string, string> = {}
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    while (!rest.startsWith('}')) {
      const [whole, key, value] = label.exec(rest) ?? []
      if (whole === undefined || key === undefined || value === undefined || key in labels) return refuse()
      labels[key] = unescape(value)
      rest = rest.slice(whole.length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (!rest.startsWith('}')) return refuse()
    }
    rest = rest.slice(1)
  }
  const [, number] = /^[ \t]+(\S+)(?:[ \t]+-?\d+)?$/.exec(rest) ?? []
  const value = number === undefined ? undefined : numberOf(number)
  return value === undefined ? refuse() : { name, labels, value }
}

function numberOf(text: string): number | undefined {
  if (/^[+-]?Inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (text === 'NaN') return NaN
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

const unescape = (text: string): string => text.replace(/\\([\\"n])/g, (_whole, char: string) => (char === 'n' ? '\n' : char))

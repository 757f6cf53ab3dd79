/** The part of an ajv error this needs. */
interface Problem {
  readonly instancePath: string
  readonly keyword: string
  readonly message?: string
  readonly params: unknown
}

const places: Readonly<Record<string, string>> = { requestBody: 'body', path: 'path', query: 'query', header: 'header', cookie: 'cookie' }

const param = (problem: Problem, name: string): unknown =>
  typeof problem.params === 'object' && problem.params !== null ? (problem.params as Record<string, unknown>)[name] : undefined

const depthOf = ({ instancePath }: Problem): number => instancePath.split('/').length

const forms = new Set(['anyOf', 'oneOf'])

/** The first problem; of a value that fits none of several forms what is wrong within the one that was meant, else every kind that it may be. */
function problemMeant(problems: readonly Problem[]): Problem | undefined {
  const [first] = problems
  const choice = problems.findLast(({ keyword, instancePath }) => forms.has(keyword) && first?.instancePath.startsWith(instancePath))
  if (choice === undefined) return first
  const within = problems.filter(({ instancePath }) => instancePath.startsWith(choice.instancePath))
  const deepest = Math.max(...within.map(depthOf))
  const there = within.filter((problem) => depthOf(problem) === deepest)
  const meant = there.find(({ keyword }) => keyword !== 'type' && !forms.has(keyword)) ?? there[0]
  if (meant?.keyword !== 'type') return meant
  const kinds = new Set(there.filter(({ keyword }) => keyword === 'type').map((problem) => String(param(problem, 'type'))))
  return { ...meant, message: `must be ${[...kinds].join(' or ')}` }
}

/** One sentence about the first problem: the field, what is wrong with it and what would be right. */
export function firstProblem(problems: readonly Problem[]): string {
  const problem = problemMeant(problems)
  if (problem === undefined) return 'the request does not match the contract'
  const [place = '', ...path] = problem.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const missing = problem.keyword === 'required' ? String(param(problem, 'missingProperty')) : undefined
  const extra = problem.keyword === 'additionalProperties' ? String(param(problem, 'additionalProperty')) : undefined
  const inside = [...path, ...(missing === undefined ? [] : [missing]), ...(extra === undefined ? [] : [extra])]
  const field = [places[place] ?? place, ...inside].filter((part) => part !== '').join('.')
  if (missing !== undefined) return `${missing === 'requestBody' ? 'body' : field}: is required`
  if (extra !== undefined) return `${field}: is not known here; remove it`
  // Codegen holds the text of an integer to digits.
  if (param(problem, 'pattern') === '^[0-9]{1,16}$') return `${field}: must be integer`
  if (problem.keyword === 'enum') return `${field}: must be one of ${(param(problem, 'allowedValues') as unknown[]).map(String).join(', ')}`
  return `${field}: ${problem.message ?? 'is not valid'}`
}

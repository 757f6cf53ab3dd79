/** Anything that is JSON. */
type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])
const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 1))

/** A transcript as text to read: what was asked, what was thought, called and answered, and when. What is none is shown as it is. */
export function transcriptText(content: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch {
    return content
  }
  if (!isJson(parsed) || !isJson(parsed['request'])) return content
  const { request, parts, text, error, ...facts } = parsed
  return [
    ...asked(request),
    ...answered(parts, text),
    ...(error === undefined ? [] : [`== Error\n${written(error)}`]),
    timings(facts),
  ].join('\n\n')
}

function asked(request: Json): string[] {
  const { messages, prompt, inputs, tools, ...rest } = request
  const said = listOf(messages).filter(isJson)
  return [
    ...said.map(({ role, content, tool_calls }) => {
      const calls = tool_calls === undefined ? '' : `\n${written(tool_calls)}`
      return `== ${written(role)}\n${content === undefined ? '' : written(content)}${calls}`
    }),
    ...(prompt === undefined ? [] : [`== Prompt\n${written(prompt)}`]),
    ...(inputs === undefined ? [] : [`== Inputs\n${written(inputs)}`]),
    ...(tools === undefined ? [] : [`== Tools\n${written(tools)}`]),
    `== Asked with\n${linesOf(rest)}`,
  ]
}

/** The answer in the order in which it came, pieces of one kind together. */
function answered(parts: unknown, text: unknown): string[] {
  const said: { kind: string; text: string }[] = []
  for (const part of listOf(parts).filter(isJson)) {
    const kind = written(part['kind'])
    const piece = `${part['name'] === undefined ? '' : `${written(part['name'])} `}${written(part['text'])}`
    const last = said.at(-1)
    if (last?.kind === kind) last.text += piece
    else said.push({ kind, text: piece })
  }
  if (said.length === 0 && typeof text === 'string' && text !== '') said.push({ kind: 'text', text })
  const titles: Readonly<Record<string, string>> = { text: 'Answer', reasoning: 'Reasoning', tool_call: 'Call' }
  return said.map((part) => `== ${titles[part.kind] ?? part.kind}\n${part.text}`)
}

const timings = (facts: Json): string => `== Facts\n${linesOf(facts)}`

const linesOf = (facts: Json): string =>
  Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}: ${isJson(value) || Array.isArray(value) ? JSON.stringify(value) : written(value)}`)
    .join('\n')

import { hash } from 'node:crypto'
import type { components } from '../../../../generated/openai.ts'
import { refuseField } from '../../../domain/errors.ts'
import type { TaskRequest, Tool } from '../../../domain/task.ts'
import { defined } from '../../common/defined.ts'
import { functionTool } from '../../common/function-tool.ts'

type Schemas = components['schemas']
type ResponseTool = Schemas['ResponseTool']
type Choice = Schemas['ResponseRequest']['tool_choice']

/** A tool by what the client calls it. */
export interface ToolName {
  readonly name: string
  readonly namespace?: string
}

/** A tool that the model knows by another name, or as a function though it takes plain text. */
export interface ToolMark extends ToolName {
  /** What the model calls it. */
  readonly known_as: string
  readonly custom?: true
}

/** Tools for the model, and what they are to the client. */
export interface OfferedTools {
  readonly tools: readonly Tool[]
  readonly marks: readonly ToolMark[]
}

/** Longest name that engines take. */
const longest_name = 64

/** The name by which a model knows a tool: with its namespace before it, cut where engines would refuse it. */
export function knownAs({ name, namespace }: ToolName): string {
  const whole = namespace === undefined ? name : `${namespace}__${name}`
  if (namespace === undefined || whole.length <= longest_name) return whole
  return `${whole.slice(0, longest_name - 9)}_${hash('sha256', whole).slice(0, 8)}`
}

/** A custom tool takes one text, which is what its function is given. */
const textParameters = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
  required: ['input'],
  additionalProperties: false,
}

/** Tools of types that models are not told of here are passed over, as clients expect of servers that have them not. */
export function offeredTools(tools: readonly ResponseTool[], namespace?: string): OfferedTools {
  const offered = tools.map((tool, i): OfferedTools => {
    const { type, name } = tool
    if (type === 'namespace' && namespace === undefined) {
      if (typeof name !== 'string' || name === '') return refuseField(`tools[${i}].name`, 'is required in a namespace')
      return offeredTools(tool.tools ?? [], name)
    }
    if (type !== 'function' && type !== 'custom') return { tools: [], marks: [] }
    if (typeof name !== 'string' || name === '') return refuseField(`tools[${i}].name`, 'is required')
    const named: ToolName = { name, ...(namespace === undefined ? {} : { namespace }) }
    const known_as = knownAs(named)
    const mark: ToolMark = { ...named, known_as, ...(type === 'custom' ? { custom: true } : {}) }
    return { tools: [functionOf(tool, known_as)], marks: known_as === name && type === 'function' ? [] : [mark] }
  })
  return { tools: offered.flatMap((one) => one.tools), marks: offered.flatMap((one) => one.marks) }
}

function functionOf(tool: ResponseTool, name: string): Tool {
  if (tool.type === 'function') return functionTool(name, tool)
  const { description, format } = tool
  const { definition, syntax } = format ?? {}
  const grammar =
    typeof definition === 'string'
      ? `The input follows this grammar${typeof syntax === 'string' ? ` (${syntax})` : ''}:\n${definition}`
      : ''
  const said = [description ?? '', grammar].filter((text) => text !== '').join('\n\n')
  return functionTool(name, { description: said === '' ? undefined : said, parameters: textParameters })
}

type Named = Readonly<Record<string, unknown>>

const nameIn = (choice: Named): string => {
  const { name, namespace } = choice
  if (typeof name !== 'string') return refuseField('tool_choice.name', 'names the tool')
  return knownAs({ name, ...(typeof namespace === 'string' ? { namespace } : {}) })
}

/** What the choice leaves of the tools, and what the engine is told. @throws DomainError invalid_params where the choice is none of ours */
export function chosen(tools: readonly Tool[], choice: Choice): Pick<TaskRequest, 'tools' | 'tool_choice'> {
  const all = tools.length === 0 ? {} : { tools: [...tools] }
  if (choice === null || choice === undefined) return all
  if (choice === 'none' || choice === 'auto' || choice === 'required') return tools.length === 0 ? {} : { ...all, tool_choice: choice }
  if (typeof choice === 'string') return refuseField('tool_choice', 'must be none, auto, required or the tool to call')
  const given: Named = choice
  if (given['type'] === 'function' || given['type'] === 'custom')
    return { ...all, tool_choice: { type: 'function', function: { name: nameIn(given) } } }
  if (given['type'] !== 'allowed_tools' || !Array.isArray(given['tools']))
    return refuseField('tool_choice.type', 'must be function, custom or allowed_tools')
  const names = (given['tools'] as readonly unknown[]).flatMap((one) =>
    typeof one === 'object' && one !== null && 'name' in one ? [nameIn(one as Named)] : [],
  )
  const left = tools.filter((tool) => names.includes(tool.function.name))
  if (left.length === 0) return refuseField('tool_choice.tools', 'names no tool of tools')
  return { tools: left, tool_choice: given['mode'] === 'required' ? 'required' : 'auto' }
}

/** The tools of a task as the client gave them. */
export function toolsGiven(tools: readonly Tool[], marks: readonly ToolMark[]): ResponseTool[] {
  const given: ResponseTool[] = []
  for (const { function: one } of tools) {
    const mark = marks.find(({ known_as }) => known_as === one.name)
    const { parameters, ...rest } = { ...one, name: mark?.name ?? one.name }
    const tool: ResponseTool =
      mark?.custom === true ? { type: 'custom', ...rest } : { type: 'function', ...rest, ...defined('parameters', parameters) }
    const last = given.at(-1)
    if (mark?.namespace === undefined) given.push(tool)
    else if (last?.type === 'namespace' && last.name === mark.namespace) last.tools?.push(tool)
    else given.push({ type: 'namespace', name: mark.namespace, tools: [tool] })
  }
  return given
}

/** The choice of a task as the client gave it. */
export function choiceGiven(choice: TaskRequest['tool_choice'], marks: readonly ToolMark[]): Schemas['Response']['tool_choice'] {
  if (choice === undefined || typeof choice === 'string') return choice ?? 'auto'
  const { name } = choice.function
  const mark = marks.find(({ known_as }) => known_as === name)
  return {
    type: mark?.custom === true ? 'custom' : 'function',
    name: mark?.name ?? name,
    ...defined('namespace', mark?.namespace),
  }
}

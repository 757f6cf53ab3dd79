import type { components } from '../../../generated/anthropic.ts'
import { refuseField } from '../../domain/errors.ts'
import type { ChatMessage } from '../../domain/task.ts'

type Schemas = components['schemas']
type Block = Schemas['Block']
type Content = Schemas['Content']
type Part = Exclude<NonNullable<ChatMessage['content']>, string>[number]

/** A block that Claude Code puts first. Its last digits differ in each conversation, so that no two would share a prefix in a cache. */
const billing = 'x-anthropic-billing-header:'

const blocksOf = (content: Content | null | undefined): readonly Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])

/** Text of the blocks, each on lines of its own. */
const textOf = (blocks: readonly Block[]): string =>
  blocks.flatMap(({ type, text }) => (type === 'text' && text != null && !text.startsWith(billing) ? [text] : [])).join('\n\n')

/** System and messages as one conversation. @throws DomainError invalid_params naming a block that cannot be taken */
export function conversationOf(system: Content | null | undefined, messages: readonly Schemas['InputMessage'][]): ChatMessage[] {
  const text = textOf(blocksOf(system))
  const first: ChatMessage[] = text === '' ? [] : [{ role: 'system', content: text }]
  return [...first, ...messages.flatMap(({ role, content }, i) => messagesOf(role, blocksOf(content), `messages[${i}].content`))]
}

function messagesOf(role: Schemas['InputMessage']['role'], blocks: readonly Block[], field: string): ChatMessage[] {
  if (role === 'assistant') return [assistantMessage(blocks)]
  if (role !== 'user') {
    const text = textOf(blocks)
    return text === '' ? [] : [{ role, content: text }]
  }
  const results: ChatMessage[] = []
  const parts: Part[] = []
  blocks.forEach((block, i) => {
    if (block.type === 'tool_result') results.push(resultMessage(block, `${field}[${i}]`, parts))
    else parts.push(...partsOf(block, `${field}[${i}]`))
  })
  const only = parts.length === 1 ? parts[0] : undefined
  if (parts.length === 0 && results.length > 0) return results
  return [...results, { role: 'user', content: parts.length === 0 ? '' : only?.type === 'text' ? only.text : parts }]
}

function assistantMessage(blocks: readonly Block[]): ChatMessage {
  const calls = blocks.flatMap(({ type, id, name, input }) =>
    type === 'tool_use' && id != null && name != null
      ? [{ id, type: 'function' as const, function: { name, arguments: JSON.stringify(input ?? {}) } }]
      : [],
  )
  const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('')
  const reasoning = blocks.flatMap((block) => (block.type === 'thinking' ? [block.thinking ?? ''] : [])).join('')
  return {
    role: 'assistant',
    ...(text === '' && calls.length > 0 ? {} : { content: text }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
  }
}

/** A tool's result; what is not text in it goes to the message that follows. */
function resultMessage({ tool_use_id, content, is_error }: Block, field: string, parts: Part[]): ChatMessage {
  if (tool_use_id == null) return refuseField(`${field}.tool_use_id`, 'is required in a tool_result')
  const text = blocksOf(content).flatMap((block, i) => {
    const made = partsOf(block, `${field}.content[${i}]`)
    parts.push(...made.filter(({ type }) => type !== 'text'))
    return made.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  })
  return { role: 'tool', tool_call_id: tool_use_id, content: `${is_error === true ? 'Error: ' : ''}${text.join('\n\n')}` }
}

function partsOf(block: Block, field: string): Part[] {
  const { type, text, source, title, context, content } = block
  const read = (...texts: (string | null | undefined)[]): Part[] => [
    { type: 'text', text: texts.filter((one) => one != null && one !== '').join('\n\n') },
  ]
  if (type === 'text') return [{ type: 'text', text: text ?? '' }]
  if (type === 'image') return [{ type: 'image_url', image_url: { url: imageUrl(source, field) } }]
  if (type === 'document') return read(title, context, documentText(source, field))
  if (type === 'search_result') return read(title, typeof source === 'string' ? source : '', textOf(blocksOf(content)))
  return refuseField(`${field}.type`, `${type} is not taken here: text, image, document, search_result and tool_result are`)
}

type Source = Block['source']

const fieldsOf = (source: Source): Readonly<Record<string, unknown>> => (typeof source === 'object' && source !== null ? source : {})

function documentText(source: Source, field: string): string {
  const { type, data, content } = fieldsOf(source)
  if (type === 'text' && typeof data === 'string') return data
  if (type === 'content' && typeof content === 'string') return content
  const pieces = type === 'content' && Array.isArray(content) ? (content as readonly Partial<Block>[]) : []
  const texts = pieces.flatMap((piece) => (piece.type === 'text' && typeof piece.text === 'string' ? [piece.text] : []))
  if (texts.length > 0 && texts.length === pieces.length) return texts.join('\n\n')
  return refuseField(`${field}.source`, 'must be of type text, or of type content with texts alone')
}

function imageUrl(source: Source, field: string): string {
  const { type, media_type, data, url } = fieldsOf(source)
  if (type === 'base64' && typeof media_type === 'string' && typeof data === 'string') return `data:${media_type};base64,${data}`
  if (type === 'url' && typeof url === 'string' && url.startsWith('data:')) return url
  return refuseField(`${field}.source`, 'must be of type base64: nothing is fetched from other servers')
}

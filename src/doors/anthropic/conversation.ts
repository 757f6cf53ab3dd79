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

function partsOf({ type, text, source }: Block, field: string): Part[] {
  if (type === 'text') return [{ type: 'text', text: text ?? '' }]
  if (type === 'image') return [{ type: 'image_url', image_url: { url: imageUrl(source ?? {}, field) } }]
  if (type === 'document') {
    const { type: kind, data } = source ?? {}
    if (kind === 'text' && typeof data === 'string') return [{ type: 'text', text: data }]
    return refuseField(`${field}.source`, 'only documents of type text are taken')
  }
  return refuseField(`${field}.type`, `${type} is not taken here: text, image, document and tool_result are`)
}

function imageUrl(source: Readonly<Record<string, unknown>>, field: string): string {
  const { type, media_type, data, url } = source
  if (type === 'base64' && typeof media_type === 'string' && typeof data === 'string') return `data:${media_type};base64,${data}`
  if (type === 'url' && typeof url === 'string' && url.startsWith('data:')) return url
  return refuseField(`${field}.source`, 'must be of type base64: nothing is fetched from other servers')
}

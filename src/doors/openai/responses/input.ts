import type { components } from '../../../../generated/openai.ts'
import { refuseField } from '../../../domain/errors.ts'
import type { ChatMessage } from '../../../domain/task.ts'
import { knownAs } from './tools.ts'

type Schemas = components['schemas']
/** An item of a conversation, as clients send it. */
export type InputItem = Schemas['InputItem']
type InputPart = Schemas['InputPart']
type Part = Exclude<NonNullable<ChatMessage['content']>, string>[number]
type Call = NonNullable<ChatMessage['tool_calls']>[number]

const partsOf = (content: InputItem['content']): readonly InputPart[] =>
  typeof content === 'string' ? [{ type: 'input_text', text: content }] : (content ?? [])

const texts = new Set(['input_text', 'output_text', 'text', 'reasoning_text', 'summary_text', 'refusal'])

function partOf({ type, text, refusal, image_url, detail }: InputPart, field: string): Part {
  if (texts.has(type)) return { type: 'text', text: text ?? refusal ?? '' }
  if (type !== 'input_image')
    return refuseField(
      `${field}.type`,
      `${type} is not taken here: input_text, output_text and input_image are; send the text of a file as input_text`,
    )
  if (typeof image_url !== 'string')
    return refuseField(`${field}.image_url`, 'is required: files are not kept here, so send the image as a data: URL')
  if (!image_url.startsWith('data:')) return refuseField(`${field}.image_url`, 'only data: URLs are taken; send the image itself')
  return { type: 'image_url', image_url: { url: image_url, ...(detail === 'low' || detail === 'high' ? { detail } : {}) } }
}

const textIn = (parts: readonly Part[], between: string): string =>
  parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(between)

/** Builds messages of items: what the assistant thinks, says and calls in a row is one message. */
class Conversation {
  readonly messages: ChatMessage[] = []
  private text: string | undefined
  private reasoning = ''
  private calls: Call[] = []

  think(text: string): void {
    if (this.text !== undefined || this.calls.length > 0) this.flush()
    this.reasoning += text
  }

  say(text: string): void {
    if (this.text !== undefined || this.calls.length > 0) this.flush()
    this.text = text
  }

  call(call: Call): void {
    this.calls.push(call)
  }

  add(message: ChatMessage): void {
    this.flush()
    this.messages.push(message)
  }

  flush(): void {
    const { text, reasoning, calls } = this
    if (text !== undefined || calls.length > 0)
      this.messages.push({
        role: 'assistant',
        ...(calls.length > 0 && (text ?? '') === '' ? {} : { content: text ?? '' }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      })
    this.text = undefined
    this.reasoning = ''
    this.calls = []
  }
}

/**
 * Items as the messages that engines share.
 * @throws DomainError invalid_params naming the item that cannot be taken
 */
export function messagesOf(input: string | readonly InputItem[]): ChatMessage[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  const conversation = new Conversation()
  input.forEach((item, i) => {
    addItem(conversation, item, `input[${i}]`)
  })
  conversation.flush()
  return conversation.messages
}

function addItem(conversation: Conversation, item: InputItem, field: string): void {
  const type = item.type ?? (item.role == null ? '' : 'message')
  switch (type) {
    case 'message':
      addMessage(conversation, item, field)
      return
    case 'reasoning': {
      // Whoever made encrypted reasoning can read it, and nobody else; its summary is not what the model thought.
      if (typeof item.encrypted_content === 'string') return
      const parts = partsOf(item.content)
      const text = (parts.length > 0 ? parts : (item.summary ?? [])).map((part) => part.text ?? '').join('\n\n')
      if (text !== '') conversation.think(text)
      return
    }
    case 'function_call':
    case 'custom_tool_call':
      conversation.call(callOf(item, field))
      return
    case 'function_call_output':
    case 'custom_tool_call_output':
      addOutput(conversation, item, field)
      return
    default:
      // What another server's own tools have done is of no use here, unless there is something in it to read.
      if (type === '' || type === 'item_reference' || item.content != null || item.output != null)
        refuseField(
          `${field}.type`,
          `${type === '' ? 'is missing' : `${type} is not taken here`}: message, reasoning, calls of tools and their outputs are`,
        )
  }
}

function addMessage(conversation: Conversation, { role, content }: InputItem, field: string): void {
  const parts = partsOf(content).map((part, i) => partOf(part, `${field}.content[${i}]`))
  const [first, ...others] = parts
  if (role === 'assistant') conversation.say(textIn(parts, ''))
  else if (role === 'system' || role === 'developer') conversation.add({ role, content: textIn(parts, '\n\n') })
  else if (role !== 'user') refuseField(`${field}.role`, 'is required: system, developer, user or assistant')
  else if (first === undefined) conversation.add({ role, content: '' })
  else conversation.add({ role, content: first.type === 'text' && others.length === 0 ? first.text : parts })
}

function callOf({ type, call_id, name, namespace, arguments: json, input }: InputItem, field: string): Call {
  if (typeof call_id !== 'string' || call_id === '') return refuseField(`${field}.call_id`, 'is required in a call')
  if (typeof name !== 'string' || name === '') return refuseField(`${field}.name`, 'is required in a call')
  const known_as = knownAs({ name, ...(typeof namespace === 'string' ? { namespace } : {}) })
  const text = type === 'function_call' ? (json ?? '{}') : JSON.stringify({ input: input ?? '' })
  return { id: call_id, type: 'function', function: { name: known_as, arguments: text } }
}

/** A tool's output; what is not text in it goes to a message of the user that follows. */
function addOutput(conversation: Conversation, { call_id, output }: InputItem, field: string): void {
  if (typeof call_id !== 'string' || call_id === '') return refuseField(`${field}.call_id`, 'is required in an output')
  const parts = partsOf(output).map((part, i) => partOf(part, `${field}.output[${i}]`))
  const media = parts.filter((part) => part.type !== 'text')
  conversation.add({ role: 'tool', tool_call_id: call_id, content: textIn(parts, '\n\n') })
  if (media.length > 0) conversation.add({ role: 'user', content: media })
}

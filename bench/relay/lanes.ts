import { startOptions, startServer, type BenchServer } from '../server.ts'
import type { RelayCall } from './requests.ts'

/** A short prompt, or one of 64 KiB. */
export type PromptSize = 'short' | '64 KiB'

const prompts: Readonly<Record<PromptSize, string>> = {
  short: 'Tell me a story about a fox.',
  '64 KiB': 'A fox ran over the hill and home. '.repeat(2 ** 11).slice(0, 2 ** 16),
}

/** One way to the upstream: what is measured. */
export interface Lane {
  readonly name: string
  readonly server: BenchServer
  /** @param stream the answer is read as a stream @param id of the task or something of its own in the prompt, for the daemon */
  readonly call: (prompt: PromptSize, stream: boolean, id?: string) => RelayCall
  /** @see RelayedStreams.open */
  readonly mark: string
  /** Frames of a stream up to that with the first token. */
  readonly begin: number
  /** How a client says that it wants no more, where it is not enough to leave. */
  readonly cancel?: (id: string) => RelayCall
}

const messagesOf = (prompt: PromptSize): object[] => [{ role: 'user', content: prompts[prompt] }]

const openAiCall =
  (path: string, headers: string) =>
  (prompt: PromptSize, stream: boolean): RelayCall => ({
    ...{ path, headers, token: '"content":"Once"' },
    body: JSON.stringify({ model: 'bench', messages: messagesOf(prompt), max_tokens: 4096, stream }),
  })

const key = 'X-API-Key: valid\r\nAccept: text/event-stream\r\n'

const nativeCall = (prompt: PromptSize, task_id?: string): RelayCall => ({
  ...{ path: '/v1/tasks', headers: key, token: '"t":"Once"' },
  body: JSON.stringify({ task_id, messages: messagesOf(prompt), max_tokens: 4096 }),
})

/** The native call gives a stream; an answer in one piece comes by the chat door. */
const daemonCall = (prompt: PromptSize, stream: boolean, id?: string): RelayCall =>
  stream ? nativeCall(prompt, id) : chatCall(prompt, false, id)

const cancelCall = (id: string): RelayCall => ({ path: `/v1/tasks/${id}/cancel`, headers: key, body: '', token: '' })

/** The upstream itself, a bare relay, Portkey's gateway and the daemon, in this order, each in a process of its own. */
export async function startLanes(): Promise<[Lane, Lane, Lane, Lane]> {
  const upstream = await startServer('upstream')
  const [bare, portkey, daemon] = await Promise.all([
    startServer('bare-relay'),
    startServer('portkey'),
    startServer('relay-daemon', { args: [String(upstream.port)], execArgv: startOptions() }),
  ])
  await bare.ask({ upstream: upstream.port })
  const chats = '/v1/chat/completions'
  const gateway = `Authorization: Bearer none\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:${upstream.port}/v1\r\n`
  return [
    { name: 'direct', server: upstream, call: openAiCall(chats, ''), mark: ' {', begin: 2 },
    { name: 'bare relay', server: bare, call: openAiCall(chats, ''), mark: ' {', begin: 2 },
    { name: 'portkey', server: portkey, call: openAiCall(chats, gateway), mark: ' {', begin: 2 },
    { name: 'daemon', server: daemon, call: daemonCall, mark: '\ni', begin: 2, cancel: cancelCall },
  ]
}

const bearer = 'Authorization: Bearer valid\r\n'

const doorCall =
  (path: string, token: string, bodyOf: (messages: object[]) => object) =>
  (prompt: PromptSize, stream: boolean, id = ''): RelayCall => ({
    ...{ path, headers: bearer, token },
    // Each says something else: who asks the same again while it runs is given what runs.
    body: JSON.stringify({ model: 'bench', stream, ...bodyOf([...messagesOf(prompt), { role: 'user', content: id }]) }),
  })

const limits = { max_tokens: 4096 }
const chatCall = doorCall('/v1/chat/completions', '"content":"Once"', (messages) => ({ messages, ...limits }))

/** The upstream, and the same daemon by each of its doors, the native one first. */
export async function startDoorLanes(): Promise<readonly [upstream: Lane, native: Lane, ...doors: Lane[]]> {
  const upstream = await startServer('upstream')
  const server = await startServer('relay-daemon', { args: [String(upstream.port)], execArgv: startOptions() })
  const responses = doorCall('/v1/responses', '"delta":"Once"', (input) => ({
    input,
    max_output_tokens: 4096,
    store: false,
  }))
  return [
    { name: 'upstream', server: upstream, call: openAiCall('/v1/chat/completions', ''), mark: ' {', begin: 2 },
    { name: 'native', server, call: daemonCall, mark: '\ni', begin: 2, cancel: cancelCall },
    {
      // Its first token comes with the role.
      ...{ name: 'chat completions', server, mark: ' {', begin: 1 },
      call: chatCall,
    },
    { name: 'responses', server, call: responses, mark: ' {', begin: 5 },
    {
      ...{ name: 'messages', server, mark: ' {', begin: 3 },
      call: doorCall('/v1/messages', '"text":"Once"', (messages) => ({ messages, ...limits })),
    },
  ]
}

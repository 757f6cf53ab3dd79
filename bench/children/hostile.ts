import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'

/**
 * One key that does what it can to hurt the others, until its parent goes: prompts of 4 MB that are refused, a flood of artifacts, downloads that
 * it does not read, lists, and one task id with ever other bodies. What it sends is made beforehand, so that it needs little of the machine itself.
 */
const [port = ''] = process.argv.slice(2)
const key = 'key-0'
const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
const answers: Record<string, number> = {}
const unread: Socket[] = []

/** A body in two parts, the first of which differs from one to the next. */
type Body = readonly [first: string, rest: Buffer]

const bodyOf = (value: object): Body => ['', Buffer.from(JSON.stringify(value))]

/** Ever other bodies, each with its own number where the text says `{n}`. */
function bodiesOf(value: object): () => Body {
  const [before = '', after = ''] = JSON.stringify(value).split('{n}')
  const rest = Buffer.from(after)
  let made = 0
  return () => [`${before}${String(made++).padStart(9, '0')}`, rest]
}

function send(what: string, path: string, body?: Body, onText?: (text: string) => void): Promise<void> {
  const length =
    body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body[0]) + body[1].length }
  return new Promise((resolve, reject) => {
    const asked = request({
      agent,
      port,
      host: '127.0.0.1',
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'X-API-Key': key, ...length },
    })
    asked.on('error', reject)
    asked.on('response', (answer) => {
      const name = `${what} ${answer.statusCode}`
      answers[name] = (answers[name] ?? 0) + 1
      if (onText !== undefined) answer.setEncoding('utf8').on('data', onText)
      answer.resume().on('end', resolve).on('error', reject)
    })
    if (body !== undefined) asked.write(body[0])
    asked.end(body?.[1])
  })
}

const words = 'word '.repeat(390_000)
const conversation = bodyOf({ model_ref: 'mock:small', messages: [words, words].map((content) => ({ role: 'user', content })) })
const wide = bodyOf({ model_ref: 'mock:small', prompt: 'ö'.repeat(2_000_000) })
const artifacts = bodiesOf({ kind: 'plan', content: `{n}${'x'.repeat(3_999_990)}`, tags: [], metadata: {} })
const tasks = bodiesOf({ task_id: 'the-same', model_ref: 'mock:stories', max_tokens: 4, prompt: `{n}${' '.repeat(299_990)}` })
let artifact: string | undefined
const deeds: readonly (() => Promise<unknown>)[] = [
  () => send('prompt', '/v1/tasks', conversation),
  () => send('prompt', '/v1/tasks', wide),
  () => send('artifact', '/v1/artifacts', artifacts(), (text) => (artifact ??= /sha256:[0-9a-f]{64}/.exec(text)?.[0])),
  () => send('tasks', '/v1/tasks?limit=100'),
  () => send('artifacts', '/v1/artifacts?limit=100'),
  () => send('id', '/v1/tasks', tasks()),
  async () => {
    await send('pools', '/v1/pools')
    if (artifact === undefined) return
    const socket = connect(Number(port), '127.0.0.1').pause()
    socket.on('error', () => undefined)
    socket.write(`GET /v1/artifacts/${artifact} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\n\r\n`)
    unread.push(socket)
    if (unread.length > 200) unread.shift()?.destroy()
  },
]

async function forever(deed: () => Promise<unknown>): Promise<never> {
  for (;;) await deed()
}

process.on('message', () => process.send?.(answers))
process.on('disconnect', () => process.exit(0))
await Promise.all([...deeds, ...deeds].map(forever))

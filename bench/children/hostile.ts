import { connect, type Socket } from 'node:net'

/**
 * One key that does what it can to hurt the others, until its parent goes: prompts of 4 MB that are refused, a flood of artifacts, downloads that
 * it does not read, lists, and one task id with ever other bodies.
 */
const [port = ''] = process.argv.slice(2)
const key = 'key-0'
const answers: Record<string, number> = {}
const unread: Socket[] = []

async function send(what: string, path: string, body?: object): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'X-API-Key': key, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const name = `${what} ${response.status}`
  answers[name] = (answers[name] ?? 0) + 1
  return response.text()
}

let made = 0
let artifact: string | undefined
const deeds: readonly (() => Promise<unknown>)[] = [
  () =>
    send('prompt', '/v1/tasks', {
      model_ref: 'mock:small',
      messages: [
        { role: 'user', content: 'word '.repeat(390_000) },
        { role: 'user', content: 'word '.repeat(390_000) },
      ],
    }),
  () => send('prompt', '/v1/tasks', { model_ref: 'mock:small', prompt: 'ö'.repeat(2_000_000) }),
  async () => {
    const text = await send('artifact', '/v1/artifacts', {
      kind: 'plan',
      content: `${made++}`.padEnd(4_000_000, 'x'),
      tags: [],
      metadata: {},
    })
    artifact ??= (JSON.parse(text) as { id?: string }).id
  },
  () => send('tasks', '/v1/tasks?limit=100'),
  () => send('artifacts', '/v1/artifacts?limit=100'),
  () => send('id', '/v1/tasks', { task_id: 'the-same', model_ref: 'mock:stories', prompt: `${made++}`.padEnd(300_000), max_tokens: 4 }),
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

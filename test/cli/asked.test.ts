import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import { programOf } from '../../cli/program.ts'

const stream =
  'id: 0\nevent: started\ndata: {"queue_position":0,"predicted_start_ms":0}\n\nid: end\nevent: end\ndata: {"finish_reason":"stop"}\n\n'
const foresight = { pools: ['p'], running: 1, waiting: 3, movable: 2, moves_to: [{ pool_id: 'q', tasks: 2 }], late: 0 }
const usage = { day: 'd', key: 'k', model_ref: 'm', tasks: 1, tokens_in: 2, tokens_in_cached: 3, tokens_out: 4, cost: 5, refusals: 6 }
/** What the daemon says to anything: it has the fields of every answer that is shown. */
const anything = {
  ...{
    task_id: 't',
    tasks: [],
    sessions: [],
    usage: [usage],
    models: [],
    metrics: {},
    replicas: [],
    next_cursor: 'next',
    ...foresight,
  },
  ...{
    pool_id: 'p',
    engine: 'mock',
    model_ref: 'm',
    config: {},
    loaded_at: 'now',
    refused: { at: 'then', pool_id: 'p', message: 'no such file' },
  },
}

describe('what commands ask a daemon', () => {
  let server: Server
  let url: string
  let asked: string[]
  before(async () => {
    server = createServer((req, res) => {
      void text(req).then((body) => {
        if (req.url !== '/v1/capabilities')
          asked.push(`${req.method ?? ''} ${decodeURIComponent(req.url ?? '')}${body === '' ? '' : ` ${body}`}`)
        const streams = req.headers.accept === 'text/event-stream'
        res
          .writeHead(200, { 'Content-Type': streams ? 'text/event-stream' : 'application/json' })
          .end(streams ? stream : JSON.stringify(anything))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => (asked = []))

  /** Runs a command in this process; what it printed. */
  async function run(...args: string[]): Promise<string> {
    let printed = ''
    const keep = (chunk: unknown): boolean => {
      printed += String(chunk)
      return true
    }
    const [out, err] = [mock.method(process.stdout, 'write', keep), mock.method(process.stderr, 'write', keep)]
    try {
      await programOf().parseAsync([...args, ...(args[0] === 'keys' ? [] : ['--url', url])], { from: 'user' })
    } finally {
      out.mock.restore()
      err.mock.restore()
    }
    return printed
  }

  const table: readonly (readonly [line: string, asked: string])[] = [
    [
      'tasks --session s --owner ann --pool p --code CANCELED --id n- --state queued --limit 5',
      'GET /v1/tasks?limit=5&state=queued&session_id=s&owner=ann&pool_id=p&code=CANCELED&task_id=n-',
    ],
    [
      'tasks --from 2026-01-01 --to 2026-01-02 --cursor c',
      'GET /v1/tasks?limit=50&from=2026-01-01T00:00:00.000Z&to=2026-01-02T00:00:00.000Z&cursor=c',
    ],
    ['tasks t --owner ann', 'GET /v1/tasks/t?owner=ann'],
    ['cancel t --owner ann', 'POST /v1/tasks/t/cancel?owner=ann'],
    ['sessions --owner ann --limit 5 --cursor c', 'GET /v1/sessions?limit=5&owner=ann&cursor=c'],
    ['sessions s --owner ann', 'GET /v1/sessions/s?owner=ann'],
    ['usage --from 2026-01-01 --to 2026-01-02 --limit 5 --cursor c', 'GET /v1/usage?limit=5&from=2026-01-01&to=2026-01-02&cursor=c'],
    ['drain p', 'POST /v1/pools/p/drain {"deadline_ms":60000}'],
    ['drain p --deadline 1.5', 'POST /v1/pools/p/drain {"deadline_ms":1500}'],
    ['drain p --dry-run', 'POST /v1/pools/p/drain?dry_run=true {"deadline_ms":60000}'],
    ['load p', 'POST /v1/pools/p/load'],
    ['load p --dry-run', 'POST /v1/pools/p/load?dry_run=true'],
    ['unload p', 'POST /v1/pools/p/unload'],
    ['unload p --dry-run', 'POST /v1/pools/p/unload?dry_run=true'],
    ['resume p', 'POST /v1/pools/p/resume'],
    ['reload p m', 'POST /v1/pools/p/reload {"model_ref":"m"}'],
  ]
  for (const [line, request] of table)
    it(line, async () => {
      await run(...line.split(' '), '--json')
      assert.deepEqual(asked, [request])
    })

  it('run sends what it is told, as a chat or as it is', async () => {
    const sent = async (...args: string[]): Promise<unknown> => {
      asked = []
      await run('run', 'Hi', '--json', ...args)
      const { task_id, ...body } = JSON.parse(asked[0]?.replace('POST /v1/tasks ', '') ?? '') as Record<string, unknown>
      assert.equal(typeof task_id, 'string')
      return body
    }
    const hi = { role: 'user', content: 'Hi' }
    assert.deepEqual(await sent(), { messages: [hi] })
    assert.deepEqual(await sent('--system', 'Be brief.', '-m', 'm'), {
      messages: [{ role: 'system', content: 'Be brief.' }, hi],
      model_ref: 'm',
    })
    const more = ['--seed', '7', '--max-tokens', '3', '--priority', 'batch', '--deadline', '2']
    assert.deepEqual(await sent('--raw', ...more), { prompt: 'Hi', seed: 7, max_tokens: 3, priority: 'batch', deadline_ms: 2000 })
    await assert.rejects(run('run', 'Hi', '--raw', '--system', 'a'), { status: 2, message: /--system needs a chat/ })
  })

  it('say what came of it', async () => {
    assert.match(
      await run('unload', 'p', '--dry-run'),
      /^p: 1 task runs and ends; of 3 that wait 2 move \(2 to q\), 1 stay; 0 will probably be late\.\n$/,
    )
    assert.match(await run('config'), /loaded at now\nrefused at then: pool p: no such file\n$/)
    assert.match(await run('usage'), /\nd +k +m +1 +2 +3 +4 +5 +6\nmore: --cursor next\n$/)
  })

  it('keys create says the limits of a key as the configuration has them', async () => {
    const { key, config } = JSON.parse(await run('keys', 'create', 'ann', '--requests-per-minute', '60', '--models', 'a,b', '--json')) as {
      key: string
      config: { limits: object }
    }
    assert.match(key, /^orchd-[\w-]{43}$/)
    assert.deepEqual(config.limits, { models: ['a', 'b'], requests_per_minute: 60 })
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { EngineServer } from '../engines/http/engine-server.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

const engineKey = 'sk-of-the-engine'
const hub = 'hf_secret-token'

describe('the configuration that runs', () => {
  let daemon: TestDaemon
  let server: EngineServer
  before(async () => {
    server = await EngineServer.start()
    server.on('GET /v1/models', (one) => one.json(200, { data: [{ id: 'one' }] }))
    const box = { id: 'box', engine: 'openai', model: 'openai:one', ctx: 4096, url: server.url, api_key_env: 'BOX_KEY', replayable: false }
    const engineKeys = new Map([['BOX_KEY', engineKey]])
    daemon = await startDaemon({ pools: [mockPool(), box], catalog: { hf_token: hub } }, { engineKeys })
  })
  after(async () => {
    await daemon.stop()
    await server.stop()
  })
  const shown = (key: string = keys.control) => call(daemon.url, '/v1/config', { key })

  it('is for the role control, and has no secret: no key, no hash of one, no token, no header of an engine', async () => {
    assert.ok(
      server.calls.some(({ call: { headers } }) => headers.authorization === `Bearer ${engineKey}`),
      'the engine gets its key',
    )
    const { status, text } = await shown()
    assert.equal(status, 200)
    const secrets = [
      engineKey,
      hub,
      ...Object.values(keys),
      ...Object.values(keys).map((key) => createHash('sha256').update(key).digest('hex')),
    ]
    for (const secret of secrets) assert.ok(!text.includes(secret), secret)
    assert.match(text, /"api_key_env":"BOX_KEY"/)
    for (const key of [keys.data, keys.other]) assert.equal((await shown(key)).status, 403)
  })

  it('has the models that pools serve now, and the last reload that was refused', async () => {
    const reload = (model_ref: string) =>
      call(daemon.url, '/v1/pools/mock/reload', { method: 'POST', body: { model_ref, deadline_ms: 5000 }, key: keys.control })
    assert.equal((await reload('mock:v2')).status, 202)
    const models = async (): Promise<unknown[]> =>
      ((await shown()).json['config'] as { pools: { model: string }[] }).pools.map(({ model }) => model)
    assert.deepEqual(await models(), ['mock:v2', 'openai:one'])
    assert.equal((await shown()).json['refused'], undefined)
    const refused = await call(daemon.url, '/v1/pools/box/reload', {
      ...{ method: 'POST', body: { model_ref: 'openai:two', deadline_ms: 5000 }, key: keys.control },
    })
    assert.equal(refused.status, 409)
    const { pool_id, message } = (await shown()).json['refused'] as { pool_id: string; message: string }
    assert.equal(pool_id, 'box')
    assert.match(message, /^reload to openai:two failed: /)
    assert.deepEqual(await models(), ['mock:v2', 'openai:one'])
  })
})

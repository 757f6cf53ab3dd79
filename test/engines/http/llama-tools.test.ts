import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { EngineServer } from './engine-server.ts'
import { kits } from './kits.ts'

describe('the tools of a llama-server', () => {
  let server: EngineServer
  let engine: HttpEngine
  const make = (): HttpEngine =>
    new HttpEngine({ url: server.url, dialect: llamaServerDialect('served:box'), slots: 2, replayable: false, clock: new FakeClock() })
  const nothing = (): void => undefined

  beforeEach(async () => {
    server = await EngineServer.start()
    kits.llamaPrompts.welcome(server)
    engine = make()
  })
  afterEach(async () => {
    await engine.stop()
    await server.stop()
  })

  it('of a version that says nothing of its template has tools where its template shows them', async () => {
    const props = { build_info: 'b5882', total_slots: 2, chat_template: 'x', default_generation_settings: { n_ctx: 256 } }
    server.on('GET /props', (call) => call.json(200, props))
    const tools = async (template: (body: string) => [status: number, answer: object]): Promise<boolean> => {
      server.on('POST /apply-template', (call) => call.json(...template(JSON.stringify(call.body['tools']))))
      engine = make()
      const { features } = await engine.start(nothing)
      await engine.stop()
      return features.includes('tools')
    }
    assert.equal(await tools((given) => [200, { prompt: `You have ${given}. <user>a` }]), true)
    assert.equal(await tools(() => [200, { prompt: '<user>a' }]), false)
    assert.equal(await tools(() => [500, { error: { code: 500, message: 'tools param requires --jinja flag' } }]), false)
  })

  it('tells no logprobs beside tools, and says so before', () => {
    const tool = { type: 'function' as const, function: { name: 'w' } }
    assert.equal(engine.objection({ logprobs: true, tools: [tool] })?.field, 'logprobs')
    assert.equal(engine.objection({ logprobs: true }), undefined)
    assert.equal(engine.objection({ logprobs: false, tools: [tool] }), undefined)
  })
})

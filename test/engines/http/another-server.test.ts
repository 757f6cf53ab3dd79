import assert from 'node:assert/strict'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { EngineServer } from './engine-server.ts'
import { kits } from './kits.ts'

const clock = new FakeClock()
const nothing = (): void => undefined
const { llamaPrompts, ollamaChats, openAiChats, tgiChats, tritonPrompts } = kits

describe('an engine at a server of another kind', () => {
  for (const [kit, other] of [
    ...[kits.vllmChats, kits.sglangChats, tgiChats, ollamaChats, tritonPrompts].map((kit) => [kit, llamaPrompts] as const),
    [llamaPrompts, ollamaChats],
  ] as const)
    it(`${kit.engine} is not up at ${other.engine}, and says where to look`, async () => {
      const server = await EngineServer.start()
      other.welcome(server)
      const engine = kit.create({ url: server.url, api_key: '' }, clock)
      await assert.rejects(engine.start(nothing), {
        message: 'what answers is no engine of this kind, or not at this path: look at engine, and at url or command',
      })
      await server.stop()
    })
})

describe('any server that speaks OpenAI’s API', () => {
  it('is down when it has another model now, and not when it has one more', async () => {
    const server = await EngineServer.start()
    const time = new FakeClock()
    openAiChats.welcome(server)
    const downs: string[] = []
    const engine = openAiChats.create({ url: server.url, api_key: '' }, time)
    await engine.start(({ message }) => downs.push(message))
    const has = async (...models: string[]): Promise<void> => {
      const asked = server.count('GET /v1/models')
      server.on('GET /v1/models', (call) => call.json(200, { data: models.map((id) => ({ id })) }))
      await time.advance(2000)
      await server.until(() => server.count('GET /v1/models') > asked)
      for (let i = 0; i < 20; i++) await settled()
    }
    await has('more', 'tinytales')
    assert.deepEqual(downs, [])
    await has('other')
    assert.deepEqual(downs, ['the engine has another model or other settings now'])
    await engine.stop()
    await server.stop()
  })
})

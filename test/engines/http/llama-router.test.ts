import assert from 'node:assert/strict'
import { completionBody, CompletionReader, withLikely } from '../../../src/adapters/engines/llamacpp/server/completion.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import type { EngineClient } from '../../../src/adapters/engines/http/client.ts'
import type { ServerProps } from '../../../src/adapters/engines/http/dialect.ts'
import type { JsonObject } from '../../../src/adapters/engines/http/json.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { GenerateRequest } from '../../../src/ports/engine.ts'
import { FakeClock } from '../../harness/fake-clock.ts'

const never = new AbortController().signal

interface Model {
  readonly id: string
  readonly aliases?: readonly string[]
  status: string
}

/** A router of llama-servers, which takes two looks to load a model and two to unload it. */
class Router {
  readonly clock = new FakeClock()
  readonly calls: string[] = []
  readonly models: Model[]
  most = 0
  /** What a load comes to. */
  comes: 'loaded' | 'unloaded' = 'loaded'
  slots: readonly JsonObject[] = []
  caps: JsonObject = {}
  private looks = 0
  private goal: { readonly model: Model; readonly status: string } | undefined

  constructor(...models: Model[]) {
    this.models = models
  }

  readonly client = {
    clock: this.clock,
    get: (path: string) => Promise.resolve(this.answer(path)),
    value: (path: string) => Promise.resolve(this.answer(path)),
    post: (path: string, body: { readonly model: string }) => {
      this.calls.push(`POST ${path} ${body.model}`)
      const model = this.models.find(({ id }) => id === body.model) ?? assert.fail(body.model)
      model.status = path === '/models/load' ? 'starting' : 'unloading'
      this.goal = { model, status: path === '/models/load' ? this.comes : 'unloaded' }
      this.looks = 2
      return Promise.resolve({})
    },
    postForValue: () => Promise.resolve({}),
  } as unknown as EngineClient

  private answer(path: string): unknown {
    if (path === '/props') return { role: 'router', max_instances: this.most }
    if (path === '/models') {
      if (this.goal !== undefined && this.looks-- === 0) this.goal.model.status = this.goal.status
      return {
        data: this.models.map(({ id, aliases, status }) => ({ id, aliases, ...(status === '' ? {} : { status: { value: status } }) })),
      }
    }
    this.calls.push(`GET ${path}`)
    if (path.startsWith('/slots')) return this.slots
    return { default_generation_settings: { n_ctx: 512 }, total_slots: 2, chat_template: 'x', chat_template_caps: this.caps }
  }
}

/** What it says once time has gone on as long as it waits. */
async function inTime<T>(router: Router, asked: Promise<T>): Promise<T> {
  const [result] = await Promise.all([asked, router.clock.advance(5000)])
  return result
}
const inspect = (router: Router, model_ref: string): Promise<ServerProps> =>
  inTime(router, llamaServerDialect(model_ref).inspect(router.client, never))
const small = (status = 'unloaded'): Model => ({ id: 'small', aliases: ['s', 'tiny'], status })
const odd = 'org/odd model&x=1'

describe('a router of llama-servers', () => {
  it('has the model loaded that is named, by its name or any of its aliases, and tells of that one', async () => {
    for (const name of ['small', 's', 'tiny']) {
      const router = new Router({ id: 'other', status: 'loaded' }, small())
      const props = await inspect(router, `llamacpp:${name}`)
      assert.deepEqual(router.calls, ['POST /models/load small', 'GET /props?model=small&autoload=false'])
      const { model, health, loads, reload, slots, ctx_max } = props
      assert.deepEqual([model, loads, reload, slots, ctx_max], ['small', true, undefined, 2, 512])
      assert.equal(health, '/props?model=small&autoload=false', 'to ask whether it is well loads nothing')
    }
    await assert.rejects(inspect(new Router(small()), 'llamacpp:none'), /no model none/)
    const silent = new Router(small(''))
    await inspect(silent, 'llamacpp:small')
    assert.equal(silent.calls[0], 'POST /models/load small', 'what tells nothing of itself is not loaded')
  })

  it('has nothing loaded that is there, and no other model in place of one that may have to go', async () => {
    const router = new Router(small('loaded'))
    router.most = 1
    assert.equal((await inspect(router, 'llamacpp:small')).reload, 'swap')
    assert.ok(!router.calls.some((call) => call.startsWith('POST')))
  })

  it('takes the only one where none is named: of those that are loaded, else of all', async () => {
    assert.equal((await inspect(new Router({ id: 'other', status: 'unloaded' }, small('loaded')), 'served:x')).model, 'small')
    assert.equal((await inspect(new Router(small()), 'served:x')).model, 'small')
    await assert.rejects(inspect(new Router({ id: 'other', status: 'unloaded' }, small()), 'served:x'), /several models/)
    await assert.rejects(inspect(new Router(), 'served:x'), /has no model/)
  })

  it('is waited for while it loads, whoever had it do so, and believed when it could not', async () => {
    const loading = new Router(small('loading'))
    const asked = inspect(loading, 'llamacpp:small')
    await loading.clock.advance(0)
    for (const model of loading.models) model.status = 'loaded'
    assert.equal((await asked).model, 'small')
    assert.ok(!loading.calls.some((call) => call.startsWith('POST')))
    const failing = new Router(small())
    failing.comes = 'unloaded'
    await assert.rejects(inspect(failing, 'llamacpp:small'), /could not load small/)
  })

  it('has a model that sleeps: it wakes for the next call', async () => {
    const router = new Router({ id: 'other', status: 'unloaded' }, small('sleeping'))
    assert.equal((await inspect(router, 'llamacpp:small')).model, 'small')
    assert.equal((await inspect(router, 'served:x')).model, 'small')
    assert.ok(!router.calls.some((call) => call.startsWith('POST')))
  })

  it('unloads what is there, and is waited for until it is gone', async () => {
    const unload = async (status: string): Promise<Router> => {
      const router = new Router(small(status))
      const dialect = llamaServerDialect('llamacpp:small')
      await inTime(router, dialect.unload?.(router.client, { model: 'small' } as ServerProps, never) ?? assert.fail())
      assert.equal(router.models[0]?.status, 'unloaded')
      return router
    }
    for (const there of ['loaded', 'sleeping']) assert.deepEqual((await unload(there)).calls, ['POST /models/unload small'])
    assert.deepEqual((await unload('unloaded')).calls, [])
  })

  it('tells how full the cache of a model is, tokens of prompts and of answers, and never more than all', async () => {
    const router = new Router({ id: odd, status: 'loaded' })
    const usage = (loads?: true): Promise<number | undefined> =>
      llamaServerDialect('served:x').kvUsage?.(router.client, { model: odd, ...(loads && { loads }) } as ServerProps, never) ??
      assert.fail()
    assert.equal(await usage(true), undefined)
    router.slots = [{ n_ctx: 100, n_prompt_tokens: 30, next_token: [{ n_decoded: 20 }] }, { n_ctx: 100 }]
    assert.deepEqual([await usage(true), await usage()], [0.25, 0.25])
    router.slots = [{ n_ctx: 100, n_prompt_tokens: 300 }]
    assert.equal(await usage(true), 1)
    assert.deepEqual(router.calls.slice(0, 3), [
      'GET /slots?model=org%2Fodd%20model%26x%3D1&autoload=false',
      'GET /slots?model=org%2Fodd%20model%26x%3D1&autoload=false',
      'GET /slots',
    ])
  })

  it('reasons where its template knows of it in any way, and goes on from text where it does not', async () => {
    const featuresWith = async (caps: JsonObject): Promise<unknown> => {
      const router = new Router(small('loaded'))
      router.caps = caps
      return (await inspect(router, 'llamacpp:small')).features.filter((one) => one === 'reasoning' || one === 'continues')
    }
    assert.deepEqual(await featuresWith({}), ['continues'])
    assert.deepEqual(await featuresWith({ supports_reasoning_effort: true }), ['reasoning'])
    assert.deepEqual(await featuresWith({ supports_preserve_reasoning: true }), ['reasoning'])
  })
})

describe('a completion of a llama-server', () => {
  const request = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    ...{ prompt: { text: 'p' }, max_tokens: 5, seed: 2 ** 32 - 1, sampling: { top_k: 3 }, chat: {}, kv: 'cold', session: 's' },
    ...more,
  })

  it('is asked for with its own seed, the cache only where it may be used, and tokens only where they are told', () => {
    const body = (more?: Partial<GenerateRequest>): JsonObject => completionBody(request(more), 'p') as JsonObject
    const { seed, cache_prompt, n_predict, top_k, n_probs } = body()
    assert.deepEqual([seed, cache_prompt, n_predict, top_k, n_probs], [2 ** 32 - 2, false, 5, 3, undefined])
    assert.deepEqual([body({ kv: 'reuse' })['cache_prompt'], body({ seed: 7 })['seed']], [true, 7])
    const probabilities = [{}, { top_logprobs: 0 }, { top_logprobs: 3 }].map(
      (chat) => body({ chat: { logprobs: true, ...chat } })['n_probs'],
    )
    assert.deepEqual(probabilities, [1, 1, 3])
    const server = { model: 'm' } as ServerProps
    const chat = { messages: [{ role: 'user', content: 'a' }] } as const
    for (const kv of ['reuse', 'cold'] as const) {
      const plan = llamaServerDialect('served:x').generation(request({ prompt: chat, kv }), server, () => undefined)
      const { seed, cache_prompt } = plan.body as JsonObject
      assert.deepEqual([plan.path, seed, cache_prompt], ['/v1/chat/completions', 2 ** 32 - 2, kv === 'reuse'])
    }
  })

  it('tells of as many likely tokens as were asked for, of the cache, and why it ended', () => {
    const token = (text: string): JsonObject => ({ id: 1, token: text, bytes: [97], logprob: -0.5 })
    const read = (top: number, end: JsonObject): { parts: Part[]; result: unknown } => {
      const parts: Part[] = []
      const reader = new CompletionReader(withLikely((part) => parts.push(part), { top_logprobs: top }))
      reader.take({ content: 'a', completion_probabilities: [{ ...token('a'), top_logprobs: [token('a'), token('b')] }] })
      assert.equal(reader.ended, false)
      reader.take({ content: '', stop: true, tokens_evaluated: 3, tokens_predicted: 1, ...end })
      assert.equal(reader.ended, true)
      return { parts, result: reader.result() }
    }
    for (const top of [0, 1, 2]) {
      const [first] = read(top, {}).parts
      assert.equal(first?.kind === 'text' && first.logprobs?.[0]?.top_logprobs.length, top)
    }
    const tokens = { tokens_in: 3, tokens_out: 1 }
    assert.deepEqual(read(0, { stop_type: 'limit' }).result, { finish_reason: 'length', ...tokens, kv_warm: false })
    const cold = { finish_reason: 'stop', ...tokens, tokens_in_cached: 0, kv_warm: false }
    assert.deepEqual(read(0, { stop_type: 'eos', stopping_word: 'x', timings: { cache_n: 0 } }).result, cold)
    const warm = { finish_reason: 'stop', ...tokens, tokens_in_cached: 2, stop_sequence: 'x', kv_warm: true }
    assert.deepEqual(read(0, { stop_type: 'word', stopping_word: 'x', timings: { cache_n: 2 } }).result, warm)
  })
})

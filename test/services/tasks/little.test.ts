import assert from 'node:assert/strict'
import type { Budgets } from '../../../src/domain/accounts/budget.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import { createTask } from '../../../src/handlers/native/create-task.ts'
import type { TaskAcceptedReply, TaskSpec } from '../../../src/domain/task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { ann, boss, poolConfig, refusalOf, startRig, Tail, taskOf, type Rig, type TaskFields } from '../../harness/rig.ts'

/** What `taskOf` would say. */
const nothing = {
  ...{ workload: undefined, model_ref: undefined, engine: undefined, ctx: undefined, priority: undefined, max_tokens: undefined },
  ...{ session_id: undefined, seed: undefined, deadline_ms: undefined },
}
let made = 0
const little = (fields: TaskFields = {}): TaskFields => ({ ...nothing, task_id: `little-${++made}`, ...fields })

const specOf = (rig: Rig, { task_id }: TaskAcceptedReply, owner = 'ann'): TaskSpec => rig.task(task_id, owner).accepted.request

const refusal = async (rig: Rig, fields: TaskFields): Promise<string> => (await refusalOf(rig.admit(little(fields)))).message

describe('a task that says little', () => {
  it('is a completion of the only model, in a session of its own, with what the context has left', async () => {
    const rig = await startRig()
    const reply = await rig.run(little({ prompt: 'x' }))
    const { session_id, workload, model_ref, engine, ctx, priority, max_tokens, deadline_ms } = specOf(rig, reply)
    assert.deepEqual([session_id, workload, model_ref, engine, priority], [reply.task_id, 'completion', 'mock:v1', 'mock', 'interactive'])
    const prompt_tokens = rig.task(reply.task_id).accepted.prompt_tokens
    assert.deepEqual([ctx, max_tokens, deadline_ms], [8192, 8192 - prompt_tokens, 600_000])
  })

  it('has an id that was drawn, another one each time', async () => {
    const rig = await startRig()
    const [one, other] = [await rig.run({ ...little(), task_id: undefined }), await rig.run({ ...little(), task_id: undefined })]
    assert.match(one.task_id, /^[0-9a-f-]{36}$/)
    assert.notEqual(one.task_id, other.task_id)
  })

  it('needs its model where there are several: but for the one of its pool, or of its engine', async () => {
    const llama = { engine: 'llamacpp', driver: 'embedded', model: 'file:models/x.gguf' }
    const rig = await startRig({
      pools: [poolConfig(), poolConfig({ id: 'two', model: 'mock:v2' }), poolConfig({ id: 'llama', ...llama })],
    })
    const named = 'body.model_ref: is required where several models are served: '
    assert.equal(await refusal(rig, {}), `${named}mock:v1, mock:v2, file:models/x.gguf`)
    assert.equal(await refusal(rig, { engine: 'mock' }), `${named}mock:v1, mock:v2`)
    assert.match(await refusal(rig, { engine: 'vllm' }), /^No model is served on engine vllm/)
    assert.match(
      await refusal(rig, { placement: { mode: 'pin', pin_pool_id: 'none' } }),
      /^body\.placement\.pin_pool_id: there is no pool none/,
    )
    assert.equal((await rig.run(little({ model_ref: 'mock:v2' }))).pool_id, 'two')
    assert.equal((await rig.run(little({ engine: 'llamacpp' }))).pool_id, 'llama')
    const pinned = await rig.run(little({ placement: { mode: 'pin', pin_pool_id: 'two' } }))
    assert.deepEqual([pinned.pool_id, specOf(rig, pinned).model_ref], ['two', 'mock:v2'])
  })

  it('takes the one model that several pools serve', async () => {
    const rig = await startRig({ pools: [poolConfig(), poolConfig({ id: 'two', ctx: 100 })] })
    assert.deepEqual([(await rig.run(little())).pool_id, (await rig.run(little())).pool_id], ['pool', 'two'])
  })

  it('is refused where its prompt leaves no room, and the field is named', async () => {
    const props = { workloads: ['completion' as const, 'embedding' as const] }
    const rig = await startRig({
      props,
      pools: [poolConfig({ ctx: 8 })],
      prepare: (engine) => void (engine.onCount = () => Promise.resolve(8)),
    })
    assert.match(await refusal(rig, { prompt: 'long' }), /^body\.prompt: the prompt has 8 tokens, which leaves no room in the 8 tokens/)
    const messages = [{ role: 'user' as const, content: 'long' }]
    assert.match(await refusal(rig, { prompt: undefined, messages }), /^body\.messages: the prompt has 8 tokens/)
    assert.match(await refusal(rig, { prompt: 'long', max_tokens: 1 }), /^body\.prompt: .* and max_tokens is 1, together more than the 8/)
    assert.match(await refusal(rig, { prompt: undefined, inputs: ['a long one'.repeat(9)] }), /^body\.inputs: the prompt has 23 tokens/)
    assert.match(await refusal(rig, { prompt: 'long', ctx: 8 }), /^body\.ctx: .*leaves no room in ctx 8/)
  })

  it('takes one token of its budget for an embedding', async () => {
    const props = { workloads: ['completion' as const, 'embedding' as const] }
    const rig = await startRig({ props, keyBudgets: new Map([['ann', { tokens: 100 }]]) })
    await rig.run(little({ max_tokens: 7 }))
    const reply = await rig.run(little({ prompt: undefined, inputs: ['abcd', 'efgh'] }))
    assert.deepEqual([specOf(rig, reply).workload, specOf(rig, reply).ctx, specOf(rig, reply).max_tokens], ['embedding', 3, 1])
    assert.equal(rig.sessions.remaining('ann', reply.task_id).tokens, 100 - 10 - 3)
  })
})

describe('a task that says little, with a budget', () => {
  const prices = { input_per_million: 500_000, output_per_million: 1_000_000 }
  /** Every prompt has 3 tokens. */
  const start = (budgets: Budgets): Promise<Rig> =>
    startRig({ pools: [poolConfig({ prices, queue: { capacity: 9 } })], keyBudgets: new Map([['ann', budgets]]) })

  it('may generate what the tightest of them has left, in tokens and in money', async () => {
    for (const [key, session, expected] of [
      [{}, {}, 8189],
      [{ tokens: 100_000 }, {}, 8189],
      [{ tokens: 100 }, {}, 97],
      [{ tokens: 100 }, { tokens: 50 }, 47],
      [{ tokens: 100 }, { cost: 10 }, 8],
      [{ cost: 2.5 }, { tokens: 100 }, 1],
      [{ cost: 3.499999 }, {}, 1],
      [{ tokens: 4 }, {}, 1],
    ] as const) {
      const rig = await start(key)
      await rig.sessions.put(ann, 'chat', undefined, session)
      const reply = await rig.run(little({ session_id: 'chat' }))
      assert.equal(specOf(rig, reply).max_tokens, expected, JSON.stringify([key, session]))
    }
  })

  it('is refused where that is not one token, and says so', async () => {
    for (const [budgets, message] of [
      [{ tokens: 3 }, /^The tokens budget of the key does not allow it: the task may use 4 tokens, 3 is left/],
      [{ cost: 2.4 }, /^The cost budget of the key does not allow it: the task may cost 2\.5, 2\.4 is left/],
    ] as const)
      assert.match(await refusal(await start(budgets), {}), message)
  })

  it('is judged by what it says where it says it', async () => {
    assert.match(await refusal(await start({ tokens: 100 }), { max_tokens: 98 }), /may use 101 tokens, 100 is left/)
  })

  it('leaves to the next one what it did not use', async () => {
    const rig = await start({ tokens: 100 })
    await rig.run(little({ session_id: 'chat' }))
    assert.match(await refusal(rig, {}), /tokens budget of the key .*, 0 is left/)
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    const next = await rig.run(little({ session_id: 'chat' }))
    assert.equal(specOf(rig, next).max_tokens, rig.sessions.remaining('ann', 'chat').tokens! + specOf(rig, next).max_tokens)
    assert.ok(specOf(rig, next).max_tokens > 85)
  })
})

describe('a task that says little, sent again', () => {
  const body = little({ prompt: 'x' })

  it('gets the same 202: while it lives, after it ended and after a restart', async () => {
    const storage = new MemoryStorage()
    const rig = await startRig({ storage })
    const first = await rig.run(body)
    assert.deepEqual(await rig.run(body), first)
    const again = await startRig({ storage })
    await settled()
    assert.deepEqual(await again.run(body), first)
    again.engine().call.finish()
    await settled()
    assert.deepEqual(await again.run(body), first)
    assert.equal((await again.tasks.get(ann, first.task_id)).state, 'completed')
    assert.deepEqual(await (await startRig({ storage })).run(body), first)
  })

  it('is another body where it spells out what was filled in, or leaves out what was said', async () => {
    const rig = await startRig()
    const first = await rig.run(body)
    const spec = specOf(rig, first)
    for (const field of ['session_id', 'workload', 'model_ref', 'engine', 'ctx', 'priority', 'max_tokens', 'deadline_ms'] as const)
      assert.equal((await refusalOf(rig.admit({ ...body, [field]: spec[field] }))).kind, 'conflict', field)
    const said = await rig.run(little({ ...body, task_id: 'said', priority: 'interactive' }))
    assert.equal((await refusalOf(rig.admit({ ...body, task_id: said.task_id }))).kind, 'conflict')
  })
})

describe('a task that says little, and its engine', () => {
  const pools = [
    poolConfig({ id: 'first' }),
    poolConfig({ id: 'second', engine: 'llamacpp', driver: 'embedded', model: 'file:models/x.gguf', ctx: 8192 }),
  ]
  /** Two pools on two engines serve one model, as a catalog model may be. */
  async function start(storage?: MemoryStorage): Promise<Rig> {
    const rig = await startRig({ pools, ...(storage === undefined ? {} : { storage }) })
    Object.assign(rig.pool('second').config, { model: 'mock:v1' })
    return rig
  }

  it('moves to the other engine when its pool drains, unless it names its own', async () => {
    const rig = await start()
    const pin = { mode: 'prefer' as const, prefer_pools: ['first'] }
    for (const task_id of ['a', 'b']) await rig.run({ ...little({ placement: pin }), task_id })
    await rig.run({ ...little({ placement: pin, engine: 'mock' }), task_id: 'c' })
    rig.drain.drain('first', 60_000)
    await settled()
    const at = async (id: string): Promise<string> => {
      const { pool_id, engine, state } = await rig.tasks.get(ann, id)
      return `${pool_id} ${engine} ${state}`
    }
    assert.deepEqual([await at('a'), await at('b'), await at('c')], ['first mock running', 'second llamacpp running', 'first mock queued'])
    assert.equal((await rig.admit({ ...little({ placement: pin }), task_id: 'b' })).pool_id, 'first')
  })
})

describe('a stream that comes with the task', () => {
  it("is its own, also where the key may see others' of the same id", async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    const create = createTask(rig)
    const post = (who: Principal) =>
      create({
        ...{ principal: who, correlation_id: 'c', params: {}, query: {}, headers: { accept: 'text/event-stream' } },
        body: taskOf({ task_id: 'same', prompt: who.name }),
      })
    await post(boss)
    rig.engine().call.say('mine')
    rig.engine().call.finish()
    await settled()
    await post(ann)
    await settled()
    rig.engine().call.say('theirs')
    await settled()
    const reply = await post(boss)
    assert.ok('stream' in reply)
    assert.equal(new Tail(reply.stream).text, 'mine')
  })
})

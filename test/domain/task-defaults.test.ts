import assert from 'node:assert/strict'
import fc from 'fast-check'
import { draftAgain, draftOf, filledOf, sizeIn, type TaskDefaults } from '../../src/domain/task-defaults.ts'
import type { AcceptedTask, EngineName, Priority, TaskRequest, TaskSpec, Workload } from '../../src/domain/task.ts'

const defaults: TaskDefaults = { task_id: 'drawn', model_ref: 'mock:only', priority: 'interactive', deadline_ms: 5000 }
/** What the contract's own defaults make of an empty body. */
const empty: TaskRequest = { determinism: 'best_effort', kv_hint: 'cold', output_mode: 'text' }

/** Requests that leave any of the fields out that may be. */
const requests: fc.Arbitrary<TaskRequest> = fc
  .record(
    {
      task_id: fc.constantFrom('a', 'b'),
      session_id: fc.constantFrom('s', 't'),
      workload: fc.constantFrom<Workload>('completion', 'embedding', 'rerank'),
      model_ref: fc.constantFrom('mock:v1', 'mock:v2'),
      engine: fc.constantFrom<EngineName>('mock', 'llamacpp'),
      ctx: fc.integer({ min: 1, max: 200 }),
      priority: fc.constantFrom<Priority>('interactive', 'batch'),
      max_tokens: fc.integer({ min: 1, max: 200 }),
      deadline_ms: fc.integer({ min: 1, max: 9000 }),
      seed: fc.nat(9),
      prompt: fc.string(),
      inputs: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map((fields) => ({ ...empty, ...fields }))

const pools = fc.record({ ctxMax: fc.integer({ min: 8, max: 300 }), maxTokensOut: fc.integer({ min: 1, max: 300 }) })

/** As admission makes it. */
function accept(request: TaskRequest): AcceptedTask {
  const draft = draftOf(request, defaults)
  const spec: TaskSpec = { ...draft, engine: request.engine ?? 'mock', ...sizeIn({ ctxMax: 100, maxTokensOut: 99 }, draft, 4) }
  const promise = { queue_position: 0, predicted_start_ms: 0, backoff_ms: 0 }
  return {
    ...{ owner: 'ann', task_id: spec.task_id, request: spec, filled: filledOf(request, spec), seed: 1, prompt_tokens: 4, pool_id: 'p' },
    ...{ accepted_at: 0, correlation_id: 'c', ...promise },
  }
}

describe('what a task leaves out', () => {
  it('is filled in, and what it says stays', () => {
    assert.deepEqual(draftOf({ ...empty, prompt: 'x' }, defaults), {
      ...{ ...empty, prompt: 'x', task_id: 'drawn', session_id: 'drawn', workload: 'completion', model_ref: 'mock:only' },
      ...{ priority: 'interactive', deadline_ms: 5000 },
    })
    fc.assert(
      fc.property(requests, (request) => {
        const draft = draftOf(request, defaults)
        for (const [field, value] of Object.entries(request)) assert.equal(draft[field as keyof TaskRequest], value)
        assert.equal(draft.session_id, request.session_id ?? draft.task_id)
      }),
    )
  })

  it('follows from its fields where it is the workload', () => {
    const workload = (fields: Partial<TaskRequest>): string => draftOf({ ...empty, ...fields }, defaults).workload
    assert.equal(workload({ prompt: 'q' }), 'completion')
    assert.equal(workload({ messages: [{ role: 'user', content: 'q' }] }), 'completion')
    assert.equal(workload({ inputs: ['a'] }), 'embedding')
    assert.equal(workload({ prompt: 'q', inputs: ['a'] }), 'rerank')
    assert.equal(workload({}), 'completion')
  })

  it('was nothing in a task of a version that required all', () => {
    const old = { ...accept({ ...empty, prompt: 'x' }), filled: [] }
    Reflect.deleteProperty(old, 'filled')
    assert.equal(draftAgain(old), old.request)
  })

  it('may become another engine and another context in another pool, and nothing else may', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const accepted = accept(request)
        const again = draftAgain(accepted)
        assert.deepEqual([again.engine, again.ctx], [request.engine, request.ctx])
        const { engine, ctx } = accepted.request
        assert.deepEqual({ ...again, engine, ctx }, accepted.request)
      }),
    )
  })
})

describe('the size of a task', () => {
  const task = { workload: 'completion' } as const

  it('is what it says', () => {
    fc.assert(
      fc.property(
        pools,
        fc.nat(300),
        fc.integer({ min: 1 }),
        fc.integer({ min: 1 }),
        fc.integer({ min: 1 }),
        (pool, prompt, ctx, out, left) => {
          assert.deepEqual(sizeIn(pool, { ...task, ctx, max_tokens: out }, prompt, left), { ctx, max_tokens: out })
        },
      ),
    )
  })

  it('is the most that fits everywhere, where it does not say', () => {
    fc.assert(
      fc.property(
        pools,
        fc.nat(300),
        fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
        fc.integer({ min: 1, max: 400 }),
        (pool, prompt, ctx, left) => {
          const size = sizeIn(pool, { ...task, ...(ctx === undefined ? {} : { ctx }) }, prompt, left)
          const fits = (out: number): boolean =>
            prompt + out <= Math.min(ctx ?? Infinity, pool.ctxMax) && out <= pool.maxTokensOut && out <= left
          assert.equal(size.ctx, ctx ?? prompt + size.max_tokens)
          assert.equal(fits(size.max_tokens), true)
          assert.equal(fits(size.max_tokens + 1), false)
        },
      ),
    )
  })

  it('leaves room for what an estimated prompt may have more, and at least half of the rest for the answer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(100_000), (ctxMax, prompt) => {
        const pool = { ctxMax, maxTokensOut: Infinity }
        const estimated = { ...pool, props: { tokens_estimated: true } } as const
        const rest = sizeIn(pool, task, prompt).max_tokens
        const { max_tokens } = sizeIn(estimated, task, prompt)
        if (rest <= 1) return assert.equal(max_tokens, rest)
        assert.ok(max_tokens >= rest / 2 && max_tokens < rest)
        assert.ok(max_tokens <= rest / 2 + 1 || max_tokens + 64 + prompt / 3 <= rest)
        assert.equal(sizeIn(estimated, { ...task, max_tokens: rest }, prompt).max_tokens, rest)
      }),
    )
  })

  it('is one token where nothing is generated', () => {
    const pool = { ctxMax: 100, maxTokensOut: 99 }
    assert.deepEqual(sizeIn(pool, { workload: 'embedding' }, 7), { ctx: 8, max_tokens: 1 })
    assert.deepEqual(sizeIn(pool, { workload: 'rerank', max_tokens: 5 }, 7), { ctx: 12, max_tokens: 5 })
  })
})

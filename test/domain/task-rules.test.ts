import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DomainError } from '../../src/domain/errors.ts'
import { checkTaskRequest, estimateTokens } from '../../src/domain/task-rules.ts'
import { draftOf } from '../../src/domain/task-defaults.ts'
import type { TaskDraft, TaskRequest } from '../../src/domain/task.ts'

const bare: TaskRequest = {
  task_id: 't',
  session_id: 's',
  workload: 'completion',
  model_ref: 'mock:v1',
  engine: 'mock',
  ctx: 100,
  priority: 'batch',
  determinism: 'best_effort',
  max_tokens: 1,
  deadline_ms: 1,
  kv_hint: 'cold',
  output_mode: 'text',
}
const completion: TaskRequest = { ...bare, prompt: 'p' }
const messages = [{ role: 'user' as const, content: 'c' }]
const embedding: TaskRequest = { ...bare, workload: 'embedding', inputs: ['a'] }
const rerank: TaskRequest = { ...bare, workload: 'rerank', prompt: 'q', inputs: ['a'] }

const allowed: Record<string, TaskRequest> = {
  'a prompt': completion,
  'an empty prompt': { ...bare, prompt: '' },
  messages: { ...bare, messages },
  'an embedding': embedding,
  'a rerank': rerank,
  sampling: { ...completion, sampling: { temperature: 0 } },
  'strict with a seed': { ...completion, determinism: 'strict', seed: 0 },
  pin: { ...completion, placement: { mode: 'pin', pin_pool_id: 'p' } },
  'pin that says it does not fall back': { ...completion, placement: { mode: 'pin', pin_pool_id: 'p', allow_fallback: false } },
  prefer: { ...completion, placement: { mode: 'prefer', prefer_pools: ['p'] } },
  'prefer with and without fallback': { ...completion, placement: { mode: 'prefer', prefer_pools: ['p'], allow_fallback: false } },
  auto: { ...completion, placement: { mode: 'auto', avoid_pools: ['p'], require_device_mask: [1] } },
}

const refused: [string, TaskRequest, field: string][] = [
  ['a completion of inputs alone', { ...bare, inputs: ['a'] }, 'prompt'],
  ['a completion of both', { ...completion, messages }, 'messages'],
  ['a completion with inputs', { ...completion, inputs: ['a'] }, 'inputs'],
  ['an embedding of nothing', { ...bare, workload: 'embedding' }, 'inputs'],
  ['an embedding with a prompt', { ...embedding, prompt: 'p' }, 'prompt'],
  ['an embedding of messages', { ...embedding, messages }, 'messages'],
  ['an embedding that is sampled', { ...embedding, sampling: {} }, 'sampling'],
  ['an embedding of texts and token ids', { ...embedding, inputs: ['a', [1]] }, 'inputs'],
  ['a rerank of token ids', { ...rerank, inputs: [[1]] }, 'inputs'],
  ['a rerank without documents', { ...bare, workload: 'rerank', prompt: 'q' }, 'inputs'],
  ['a rerank without a query', { ...bare, workload: 'rerank', inputs: ['a'] }, 'prompt'],
  ['a rerank of messages', { ...rerank, messages }, 'messages'],
  ['a rerank that is sampled', { ...rerank, sampling: {} }, 'sampling'],
  ['strict without a seed', { ...completion, determinism: 'strict' }, 'seed'],
  ['pin without a pool', { ...completion, placement: { mode: 'pin' } }, 'placement.pin_pool_id'],
  ['pin with fallback', { ...completion, placement: { mode: 'pin', pin_pool_id: 'p', allow_fallback: true } }, 'placement.allow_fallback'],
  [
    'pin with preferred pools',
    { ...completion, placement: { mode: 'pin', pin_pool_id: 'p', prefer_pools: ['p'] } },
    'placement.prefer_pools',
  ],
  ['a bias of what is no token', { ...completion, sampling: { logit_bias: { the: 1 } } }, 'sampling.logit_bias'],
  ['prefer with a pin', { ...completion, placement: { mode: 'prefer', prefer_pools: ['p'], pin_pool_id: 'p' } }, 'placement.pin_pool_id'],
  ['prefer without a pool', { ...completion, placement: { mode: 'prefer' } }, 'placement.prefer_pools'],
  ['prefer with an empty list', { ...completion, placement: { mode: 'prefer', prefer_pools: [] } }, 'placement.prefer_pools'],
  ['auto with a pin', { ...completion, placement: { mode: 'auto', pin_pool_id: 'p' } }, 'placement.pin_pool_id'],
  ['auto with preferred pools', { ...completion, placement: { mode: 'auto', prefer_pools: ['p'] } }, 'placement.prefer_pools'],
  ['auto with fallback', { ...completion, placement: { mode: 'auto', allow_fallback: false } }, 'placement.allow_fallback'],
]

const draft = (request: TaskRequest): TaskDraft =>
  draftOf(request, { task_id: 't', model_ref: 'mock:v1', priority: 'interactive', deadline_ms: 1000 })

describe('task rules', () => {
  for (const [name, request] of Object.entries(allowed)) it(`allow ${name}`, () => checkTaskRequest(draft(request)))

  for (const [name, request, field] of refused)
    it(`refuse ${name} and name ${field}`, () => {
      assert.throws(
        () => checkTaskRequest(draft(request)),
        (error) => error instanceof DomainError && error.kind === 'invalid_params' && error.message.startsWith(`body.${field}: `),
      )
    })

  it('refuse nothing at all and name what would do', () => {
    assert.throws(() => checkTaskRequest(draft(bare)), /^DomainError: body: a task needs prompt, messages or inputs$/)
  })

  it('estimate a token for every four bytes, never less with more text', () => {
    assert.deepEqual(['', 'a', 'abcd', 'abcde', '🦢🦢'].map(estimateTokens), [0, 1, 1, 2, 2])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, more) => {
        assert.ok(estimateTokens(text + more) >= estimateTokens(text))
        assert.ok(estimateTokens(text + more) <= estimateTokens(text) + estimateTokens(more))
      }),
    )
  })
})

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Client } from './client.ts'

const slow = { prefill_ms: 5, token_ms: 20, tokens: 10_000 }
const mock = (id: string, model: string, fields: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  id,
  engine: 'mock',
  driver: 'in-process',
  model,
  ctx: 16_384,
  ...fields,
})

/** Pools of every kind the workload needs: a real model, one that refuses when full, one that displaces, two that share a device. */
export const workloadPools: readonly Record<string, unknown>[] = [
  {
    id: 'tales',
    engine: 'llamacpp',
    driver: 'embedded',
    model: 'file:models/tinytales.gguf',
    ctx: 256,
    replicas: [{ id: 'r0', slots: 1, devices: [0] }],
    llamacpp: { threads: 1 },
  },
  mock('refuses', 'mock:refuses', {
    replicas: [{ id: 'r0', slots: 1, devices: [1, 2] }],
    queue: { capacity: 1, full_policy: 'reject' },
    mock: slow,
  }),
  mock('displaces', 'mock:displaces', {
    replicas: [{ id: 'r0', slots: 1, devices: [3] }],
    queue: { capacity: 1, full_policy: 'drop-lru' },
    mock: slow,
  }),
  mock('first', 'mock:first', { replicas: [{ id: 'r0', slots: 1, devices: [4] }] }),
  mock('second', 'mock:second', { replicas: [{ id: 'r0', slots: 1, devices: [4] }] }),
]

/** Pools that take turns. */
export const workloadGroups: readonly Record<string, unknown>[] = [{ id: 'shared', pools: ['first', 'second'] }]

/** Does over HTTP what makes the daemon feed every series. `model` is the demonstration model's file. */
export async function runWorkload(client: Client, model: string): Promise<void> {
  await client.begin('/v1/events')
  await complete(client)
  await swap(client)
  await late(client)
  await overload(client)
  await displace(client)
  await drain(client)
  await verify(client, model)
  await attack(client)
}

async function complete(client: Client): Promise<void> {
  for (const priority of ['interactive', 'batch']) {
    const task = await client.task(202, { engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf', priority, max_tokens: 24 })
    await client.reaches(task, 'completed')
  }
}

/** One model after the other on the same device. */
async function swap(client: Client): Promise<void> {
  for (const model_ref of ['mock:first', 'mock:second']) await client.reaches(await client.task(202, { model_ref }), 'completed')
}

/** A task that takes longer than anybody could know, and ends after its deadline. */
async function late(client: Client): Promise<void> {
  const task = await client.task(202, { model_ref: 'mock:refuses', max_tokens: 30, deadline_ms: 300 })
  await client.reaches(task, 'completed')
}

/** A queue that refuses; what runs and what waits is canceled. */
async function overload(client: Client): Promise<void> {
  const fields = { model_ref: 'mock:refuses', max_tokens: 9_000, ctx: 16_384 }
  const running = await client.task(202, { ...fields, placement: { mode: 'pin', pin_pool_id: 'refuses' } })
  await client.reaches(running, 'running')
  const queued = await client.task(202, { ...fields, placement: { mode: 'prefer', prefer_pools: ['displaces'] } })
  await client.task(429, fields)
  for (const id of [queued, running]) {
    await client.expect(204, 'POST', `/v1/tasks/${id}/cancel`)
    await client.reaches(id, 'canceled')
  }
}

/** A queue that drops what has waited for longest. */
async function displace(client: Client): Promise<void> {
  const fields = { model_ref: 'mock:displaces', max_tokens: 9_000, ctx: 16_384 }
  const running = await client.task(202, fields)
  await client.reaches(running, 'running')
  const displaced = await client.task(202, { ...fields, priority: 'batch' })
  const newcomer = await client.task(202, fields)
  await client.until(`/v1/tasks/${displaced}`, ({ state }) => state === 'failed' || state === 'canceled')
  for (const id of [newcomer, running]) await client.expect(204, 'POST', `/v1/tasks/${id}/cancel`)
}

async function drain(client: Client): Promise<void> {
  await client.expect(202, 'POST', '/v1/pools/refuses/drain', { deadline_ms: 1000 })
  await client.task(503, { model_ref: 'mock:refuses' })
  await client.expect(202, 'POST', '/v1/pools/refuses/resume')
}

/** A model that passes its verification, is retired, and comes back. */
async function verify(client: Client, model: string): Promise<void> {
  const bytes = readFileSync(model)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const manifests = [{ path: 'tinytales.gguf', digest, size_bytes: bytes.length }]
  await client.expect(201, 'POST', '/v1/catalog/models', {
    id: 'tales',
    digest,
    source_url: 'file:models/tinytales.gguf',
    manifests,
    trust_policy: { mode: 'permissive' },
  })
  await client.expect(202, 'POST', '/v1/catalog/models/tales/verify')
  await client.until('/v1/catalog/models/tales', ({ verification }) => (verification as { status?: string } | undefined)?.status === 'pass')
  for (const state of ['Retired', 'Active']) await client.expect(202, 'POST', '/v1/catalog/models/tales/state', { state })
}

/** Whatever a client may put into a name: none of it becomes a value of a label, or all of it stays within the budget. */
async function attack(client: Client): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const hostile = `mock:"},evil{x="\n\\${i}`
    await client.task(404, { model_ref: hostile, metadata: { hostile } })
    if (i % 30 === 0) await client.call('POST', '/v1/pools/refuses/reload', { model_ref: `mock:other-${i}"} 1\n# TYPE evil gauge` })
  }
}

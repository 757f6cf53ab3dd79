import type { FeedPool, FeedReplica } from '../live/types.ts'

/** A state as it is shown: a sign, a word, and the class of its colour. */
export interface Shown {
  readonly sign: string
  readonly word: string
  readonly kind: 'ok' | 'warn' | 'bad' | 'm' | 'run'
}

const engines: Readonly<Record<string, string>> = {
  ...{
    llamacpp: 'llama.cpp',
    vllm: 'vLLM',
    sglang: 'SGLang',
    tgi: 'TGI',
    triton: 'Triton',
    ollama: 'Ollama',
    openai: 'OpenAI API',
    mock: 'mock',
  },
}

/** An engine as its makers write it. */
export const engineName = (engine: string): string => engines[engine] ?? engine

/** An accelerator without the words that all of its maker's have. */
export const deviceName = (name: string): string => name.replace(/^NVIDIA (GeForce )?/, '')

/** A model without what only says where its file is. */
export const modelName = (model: string): string => {
  const name = model.replace(/^(file|catalog|mock|hf|ollama):/, '')
  return (
    name
      .split('/')
      .at(-1)
      ?.replace(/\.gguf$/, '') ?? name
  )
}

/** Slots that a pool has while all its replicas are up. */
export const wholeSlots = ({ replicas }: FeedPool): number => replicas.reduce((sum, { slots }) => sum + slots, 0)

/** A pool's load as a share; undefined while nothing is loaded or nobody knows how long it takes. @param since ms since it was told */
export function loadedShare({ replicas }: FeedPool, since: number): number | undefined {
  for (const { loading } of replicas)
    if (loading?.expected_ms !== undefined && loading.expected_ms > 0)
      return Math.min(0.99, (loading.elapsed_ms + since) / loading.expected_ms)
  return undefined
}

/** A pool's state. @param since ms since it was told */
export function poolState(pool: FeedPool, since: number): Shown {
  const share = loadedShare(pool, since)
  switch (pool.state) {
    case 'ready':
      return { sign: '●', word: 'ready', kind: 'ok' }
    case 'partial':
      return { sign: '▲', word: pool.slots * 2 === wholeSlots(pool) ? 'half up' : 'part of it up', kind: 'warn' }
    case 'loading':
      return { sign: '◔', word: share === undefined ? 'loading' : `loading ${Math.floor(share * 100)} %`, kind: 'warn' }
    case 'asleep':
      return { sign: '○', word: 'asleep', kind: 'm' }
    case 'draining':
      return { sign: '◐', word: 'draining', kind: 'warn' }
    case 'down':
      return { sign: '✕', word: 'down', kind: 'bad' }
    default:
      return { sign: '▲', word: pool.state, kind: 'warn' }
  }
}

/** A replica's state. */
export function replicaState({ state, loading, breaker }: FeedReplica): Shown {
  if (loading !== undefined) return { sign: '◔', word: 'loading', kind: 'warn' }
  if (state === 'starting') return { sign: '◔', word: 'starting', kind: 'warn' }
  if (state === 'down') return { sign: '✕', word: 'down', kind: 'bad' }
  if (state === 'stopped') return { sign: '○', word: 'asleep', kind: 'm' }
  if (breaker === 'half-open') return { sign: '▲', word: 'being tried', kind: 'warn' }
  return breaker === 'open' ? { sign: '✕', word: 'not trusted after failures', kind: 'bad' } : { sign: '●', word: 'ready', kind: 'ok' }
}

/** How often something has been tried before, ` (3 so far)`. */
export const soFar = (times: number): string => (times === 0 ? '' : ` (${times} so far)`)

/** `1st`, `2nd`, `3rd`, `4th`. */
export function ordinal(n: number): string {
  const end = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')
  return `${n}${end}`
}

/** The place of a running task: its replica where the pool has more than one, and its slot from 1. */
export function slotName(pool: FeedPool | undefined, replica_id: string, slot: number | undefined): string {
  if ((pool?.replicas.length ?? 0) < 2) return slot === undefined ? '' : `${slot + 1}`
  return slot === undefined ? replica_id : `${replica_id}${/\d$/.test(replica_id) ? '/' : ''}${slot + 1}`
}

/** Devices of a replica: `GPU 0`, `GPUs 0, 1`. */
export const devicesName = (devices: readonly number[]): string =>
  devices.length === 0 ? '' : `${devices.length === 1 ? 'GPU' : 'GPUs'} ${devices.join(', ')}`

/** A line for a shell that sends a task. @param model what it asks for, where there is more than one */
export function sendingLine(origin: string, model: string | undefined): string {
  const body = JSON.stringify({ ...(model === undefined ? {} : { model_ref: model }), prompt: 'Once upon a time' })
  return `curl ${origin}/v1/tasks -H 'X-API-Key: KEY' -H 'Content-Type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`
}

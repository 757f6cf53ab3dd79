import { pause } from '../../../../ports/clock.ts'
import type { EngineClient } from '../../http/client.ts'
import { EngineFault } from '../../http/faults.ts'
import { numberOf, objectOf, objectsOf, textOf, type JsonObject } from '../../http/json.ts'
import { nameOf } from '../../http/openai/calls.ts'

/** How often a router is asked whether it is done, ms. */
const ask_ms = 250

/** One model of a router. */
interface RoutedModel {
  readonly id: string
  readonly aliases: readonly unknown[]
  /** `unloaded`, `loading`, `loaded`, `sleeping`, or what else there may be on the way. */
  readonly status: string
}

/** A model that sleeps is there, and wakes for the next call. */
const isThere = ({ status }: RoutedModel): boolean => status === 'loaded' || status === 'sleeping'

/** Whether what `/props` says is of a router of llama-servers. */
export const isRouter = (props: JsonObject): boolean => props['role'] === 'router'

/** Whether a router holds so few models that another may push this one out. @param props its own, of no model */
export const isFull = (props: JsonObject): boolean => (numberOf(props['max_instances']) ?? 0) > 0

/** What names a model of a router in a call without a body. It is never loaded by being asked for. */
export const queryOf = (model: string): string => `model=${encodeURIComponent(model)}&autoload=false`

/** The model of a reference, or with `served:` the only one that is loaded or there. @throws EngineFault where that is none */
export async function routedModel(client: EngineClient, model_ref: string, signal: AbortSignal): Promise<string> {
  const models = await modelsOf(client, signal)
  const name = nameOf(model_ref)
  if (name !== undefined) {
    const found = models.find(({ id, aliases }) => id === name || aliases.includes(name))
    if (found === undefined) throw new EngineFault('failed', `the router has no model ${name}`)
    return found.id
  }
  const there = models.filter(isThere)
  const [only, ...others] = there.length > 0 ? there : models
  if (only === undefined) throw new EngineFault('failed', 'the router has no model')
  if (others.length > 0) throw new EngineFault('failed', 'the engine is a router with several models: name one in model, as llamacpp:NAME')
  return only.id
}

/** Has a router load a model, if it is not there. Resolves when it serves. @throws EngineFault where it does not load */
export async function loadModel(client: EngineClient, model: string, signal: AbortSignal): Promise<void> {
  const { status } = await modelOf(client, model, signal)
  if (status === 'unloaded') await client.post('/models/load', { model }, signal)
  if (!isThere(await settled(client, model, signal))) throw new EngineFault('failed', `the router could not load ${model}`)
}

/** Has a router unload a model. Resolves when it is gone; what runs on it is cut. @throws EngineFault */
export async function unloadModel(client: EngineClient, model: string, signal: AbortSignal): Promise<void> {
  const { status } = await modelOf(client, model, signal)
  if (status !== 'unloaded') await client.post('/models/unload', { model }, signal)
  for (;;) {
    if ((await modelOf(client, model, signal)).status === 'unloaded') return
    await pause(client.clock, ask_ms, signal)
  }
}

/** The model once it is loaded or is not being loaded any more. */
async function settled(client: EngineClient, model: string, signal: AbortSignal): Promise<RoutedModel> {
  for (;;) {
    const found = await modelOf(client, model, signal)
    if (isThere(found) || found.status === 'unloaded') return found
    await pause(client.clock, ask_ms, signal)
  }
}

async function modelOf(client: EngineClient, model: string, signal: AbortSignal): Promise<RoutedModel> {
  const found = (await modelsOf(client, signal)).find(({ id }) => id === model)
  if (found === undefined) throw new EngineFault('failed', `the router has no model ${model}`)
  return found
}

async function modelsOf(client: EngineClient, signal: AbortSignal): Promise<RoutedModel[]> {
  return objectsOf((await client.get('/models', signal))['data']).flatMap(({ id, aliases, status }) => {
    if (typeof id !== 'string') return []
    const others = aliases instanceof Array ? aliases : []
    return [{ id, aliases: others, status: textOf(objectOf(status)['value']) ?? 'unloaded' }]
  })
}

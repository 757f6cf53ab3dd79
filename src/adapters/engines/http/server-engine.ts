import { resolve } from 'node:path'
import { filled } from '../../../domain/command-template.ts'
import type { Engine } from '../../../ports/engine.ts'
import type { EngineDriver, EngineParts } from '../../../ports/engine-definition.ts'
import { environmentOf } from '../process/environment.ts'
import type { Dialect } from './dialect.ts'
import { HttpEngine } from './engine.ts'
import { ManagedEngine } from './managed/engine.ts'
import type { RunCommand } from './managed/protocol.ts'

/** What pools of servers have: a URL, or the command that starts one. */
interface ServerPool {
  readonly model: string
  readonly replayable: boolean | 'probe'
  readonly ctx?: number
  readonly url?: string
  readonly command?: readonly string[]
  readonly env?: readonly string[]
  readonly stop_ms?: number
  readonly timeouts: { readonly idle_ms: number }
}

type Parts = EngineParts<ServerPool>

/** The drivers of an engine that is a server. @param what such as `A vLLM server` @param schemes of the models it can be told by name @param recognize finds out whether a server is of this kind */
export function serverDrivers(
  what: string,
  schemes: readonly string[],
  recognize: NonNullable<EngineDriver['recognize']>,
): { readonly external: EngineDriver; readonly managed: EngineDriver } {
  return {
    external: { description: `${what} that runs already.`, schemes: ['served:', ...schemes], remote: true, recognize },
    managed: { description: `${what} that the daemon starts.`, schemes: ['served:', 'file:', 'catalog:', ...schemes], managed: true },
  }
}

/** Where a server is whose calls are all over the place: without the `/v1` that users copy from other tools. */
export const rootUrl = (url: string): string => url.replace(/\/(v1\/?)?$/, '')

/**
 * The engine of a replica that is a server, one that runs already or one that is started.
 * @param dialectOf of the model that the server has to serve, and of its URL
 * @param baseOf where its calls begin, of the URL that the configuration has
 */
export function serverEngine(parts: Parts, dialectOf: (model_ref: string, url: string) => Dialect, baseOf = rootUrl): Engine {
  const { pool, replica, clock, api_key } = parts
  const { replayable, model, command, timeouts } = pool
  // A server whose command says how many slots it has is told as many as it is given.
  const slots = replica.slots ?? (command?.some((word) => /\{(slots|ctx_total)\}/.test(word)) === true ? 1 : undefined)
  const engineAt = (url: string, model_ref: string, coming: boolean): HttpEngine =>
    new HttpEngine({
      dialect: dialectOf(model_ref, url),
      url: baseOf(url),
      api_key,
      slots,
      replayable,
      clock,
      coming,
      idle_ms: timeouts.idle_ms,
    })
  if (command === undefined) return engineAt(serverUrl(pool, replica), model, false)
  return new ManagedEngine({
    command: (port) => commandFor(parts, command, port),
    port: replica.port,
    // What the server calls a file that it was given is its own to say.
    engineAt: (port) => engineAt(`http://127.0.0.1:${port}`, isFile(model) ? 'served:' : model, true),
    alone: replica.port !== undefined || replica.devices.length > 0,
    onOutput: parts.onOutput,
  })
}

/** The configuration has seen that there is a URL. */
function serverUrl({ url: ofPool }: ServerPool, { id, url = ofPool }: Parts['replica']): string {
  if (url === undefined) throw new Error(`replica ${id} has no url`)
  return url
}

const isFile = (model_ref: string): boolean => /^(file|catalog):/.test(model_ref)

async function commandFor({ pool, replica, modelFile }: Parts, command: readonly string[], port: number): Promise<RunCommand> {
  const { model, ctx = 0, env = [], stop_ms = 0 } = pool
  const { devices, slots = 1, id } = replica
  const argv = filled(command, {
    port: String(port),
    model_path: isFile(model) ? resolve(await modelFile()) : '',
    model: model.slice(model.indexOf(':') + 1),
    devices: devices.join(','),
    ctx: String(ctx),
    slots: String(slots),
    ctx_total: String(ctx * slots),
    replica: id,
  })
  return { argv, env: environmentOf({ devices, also: env }), stop_ms }
}

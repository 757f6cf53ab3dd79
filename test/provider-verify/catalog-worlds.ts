import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CatalogWorld, manifestOf, modelRequest } from '../harness/catalog.ts'
import { mockPool, talesPool } from '../harness/daemon.ts'
import { holdAfter, Hub } from '../harness/hub.ts'
import { modelsDir } from '../harness/process.ts'

const bytes = Buffer.from('a model')
const tales = readFileSync(join(modelsDir, 'tinytales.gguf'))
let made = 0

/** A request for a local model that is not like any other; `fields` replace the defaults. */
export const localModel = (fields: object = {}): Record<string, unknown> => ({
  ...modelRequest(`m${++made}`, 'file:models/model.gguf', [manifestOf('model.gguf', bytes)]),
  ...fields,
})

/** A daemon whose catalog is in a certain state. */
export class CatalogCaseWorld extends CatalogWorld {
  hub: Hub | undefined

  /** Has a model registered and verified; its id. */
  async model(fields: object = {}): Promise<string> {
    const { status, text, json } = await this.create(localModel(fields))
    assert.equal(status, 201, text)
    await this.over(String(json['id']))
    return String(json['id'])
  }

  /** Nothing of it is left. */
  async end(): Promise<void> {
    await this.remove()
    await this.hub?.stop()
  }
}

/** Bodies may have this many bytes. */
export const bodyLimit = 4096

async function open(pool: unknown = mockPool()): Promise<CatalogCaseWorld> {
  const world = new CatalogCaseWorld()
  world.write('model.gguf', bytes)
  world.write('tales.gguf', tales)
  const hub = (world.hub = await Hub.start())
  hub.put('org/held', 'model.gguf', holdAfter(bytes, 1))
  hub.put('org/other', 'model.gguf', Buffer.from('another'))
  await world.start(
    { hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } },
    {},
    { pools: [pool], limits: { body_bytes: bodyLimit } },
  )
  return world
}

/** The states of a catalog that cases are played in. */
export const catalogWorlds = {
  /** All is well; bodies are small. */
  plain: () => open(),
  /** The same, with nothing under way that others would wait for. */
  idle: () => open(),
  /** A pool serves the model `served`. */
  serving: async () => {
    const world = await open(talesPool({ model: 'file:tales.gguf' }))
    await world.model(modelRequest('served', 'file:tales.gguf', [manifestOf('tales.gguf', tales)]))
    const { status, text } = await world.ask('POST', '/v1/pools/tales/reload', { model_ref: 'catalog:served' })
    assert.equal(status, 202, text)
    return world
  },
  /** The model `kept` is there, and then nothing can be made durable any more. */
  diskless: async () => {
    const world = await open()
    await world.model({ id: 'kept' })
    await world.daemon.close()
    return world
  },
} satisfies Record<string, () => Promise<CatalogCaseWorld>>

export type CatalogWorldName = keyof typeof catalogWorlds

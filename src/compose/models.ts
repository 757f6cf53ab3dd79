import { Downloads } from '../adapters/models/downloads.ts'
import { EgressClient } from '../adapters/models/egress-client.ts'
import type { Resolve } from '../adapters/models/guarded-connect.ts'
import { ModelFolder } from '../adapters/models/model-folder.ts'
import type { Config } from '../config/config.ts'
import { EgressRules } from '../domain/catalog/egress.ts'
import type { Clock } from '../ports/clock.ts'
import type { ModelFiles } from '../ports/model-files.ts'
import type { ModelSource } from '../ports/model-source.ts'

/** Where models lie and where they are fetched from. */
export interface Models {
  readonly files: ModelFiles
  readonly source: ModelSource
}

/**
 * The models folder and the hosts that models are fetched from; the hub's token goes to the hub and nowhere else.
 * @param resolve the addresses of hosts; the system's resolver unless given
 */
export function modelsOf({ models_dir, catalog }: Config, clock: Clock, resolve?: Resolve): Models {
  const { egress, hf_endpoint, hf_token } = catalog
  const credentials = new Map(hf_token === undefined ? [] : [[new URL(hf_endpoint).origin, `Bearer ${hf_token}`]])
  const rules = new EgressRules(egress.hosts, hf_endpoint)
  const files = new ModelFolder(models_dir)
  const client = new EgressClient({ rules, credentials, ...(resolve === undefined ? {} : { resolve }) })
  return { files, source: new Downloads(client, files, clock) }
}

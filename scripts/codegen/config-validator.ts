import { Ajv } from 'ajv'
import type { JsonObject } from '../../cli/contract/document.ts'
import { header } from './bundle.ts'
import { configSource } from './config-schema.ts'
import { bare, moduleOf } from './standalone.ts'

const key = 'validateConfig'

/** ajv with the schema of the configuration under `validateConfig`: says all that is wrong and fills in defaults. */
export function configAjv(schema: JsonObject): Ajv {
  const code = { source: true, esm: true, lines: true }
  const ajv = new Ajv({ useDefaults: true, discriminator: true, strict: false, allErrors: true, code })
  ajv.addSchema(bare(schema), key)
  return ajv
}

/** `config-validator.js`: checks a configuration and fills in its defaults. */
export const configValidator = (schema: JsonObject): string => header(configSource) + moduleOf(configAjv(schema), [key])

/** `config-validator.d.ts` */
export const configValidatorTypes = (): string => `${header(configSource)}
import type { ErrorObject } from 'ajv'
import type { components } from './config.ts'

/** Fills in defaults in place. \`errors\` is everything that is wrong, until the next call. */
export declare const validateConfig: {
  (config: unknown): config is components['schemas']['Config']
  readonly errors?: readonly ErrorObject[] | null
}
`

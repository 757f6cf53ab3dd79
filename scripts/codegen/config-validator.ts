import { Ajv } from 'ajv'
import type { JsonObject } from '../contract/document.ts'
import { header, read } from './bundle.ts'
import { bare, moduleOf } from './standalone.ts'

const source = 'contracts/config.schema.json'

/** `config-validator.js`: checks a configuration and fills in its defaults. */
export function configValidator(): string {
  const code = { source: true, esm: true, lines: true }
  const ajv = new Ajv({ useDefaults: true, discriminator: true, strict: false, allErrors: true, code })
  ajv.addSchema(bare(JSON.parse(read(source)) as JsonObject), 'validateConfig')
  return header(source) + moduleOf(ajv, ['validateConfig'])
}

/** `config-validator.d.ts` */
export const configValidatorTypes = (): string => `${header(source)}
import type { ErrorObject } from 'ajv'
import type { components } from './config.ts'

/** Fills in defaults in place. \`errors\` is everything that is wrong, until the next call. */
export declare const validateConfig: {
  (config: unknown): config is components['schemas']['Config']
  readonly errors?: readonly ErrorObject[] | null
}
`

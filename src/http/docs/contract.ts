import { readFile } from 'node:fs/promises'

/** A schema of a contract, as far as it is shown. */
export interface ShownSchema {
  readonly $ref?: string
  readonly type?: string
  readonly nullable?: boolean
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly items?: ShownSchema
  readonly properties?: Readonly<Record<string, ShownSchema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly ShownSchema[]
  readonly oneOf?: readonly ShownSchema[]
  readonly allOf?: readonly ShownSchema[]
}

interface Media {
  readonly schema?: ShownSchema
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>
}

/** A parameter, a response or a reference to one. */
export interface ShownPart {
  readonly $ref?: string
  readonly name?: string
  readonly in?: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: ShownSchema
  readonly content?: Readonly<Record<string, Media>>
}

/** An operation of a contract, as far as it is shown. */
export interface ShownOperation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly 'x-role'?: string
  readonly parameters?: readonly ShownPart[]
  readonly requestBody?: ShownPart
  readonly responses: Readonly<Record<string, ShownPart>>
  readonly 'x-sse-events'?: Readonly<Record<string, ShownSchema>>
}

/** A contract, as far as it is shown. */
export interface ShownContract {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, ShownSchema>> } & Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >
}

/** Every contract by the name it is served under, and its file below `generated`. */
export const contractFiles = { orchestratord: 'openapi-client', openai: 'openai-client', anthropic: 'anthropic-client' } as const

export type ContractName = keyof typeof contractFiles

/** The text of a contract as it is served. */
export const contractText = (name: ContractName): Promise<string> =>
  readFile(new URL(`../../../generated/${contractFiles[name]}.json`, import.meta.url), 'utf8')

/** What a reference leads to; the part itself where it is none. */
export function resolved(contract: ShownContract, part: ShownPart): ShownPart {
  if (part.$ref === undefined) return part
  let found: unknown = contract
  for (const name of part.$ref.replace('#/', '').split('/')) found = (found as Readonly<Record<string, unknown>>)[name]
  return found as ShownPart
}

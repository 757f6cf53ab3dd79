import { createRequire } from 'node:module'
import type { ErrorObject } from 'ajv'
import type { components } from '../../generated/config.ts'
import { validateConfig } from '../../generated/config-validator.js'
import { engines } from '../../generated/engines.ts'
import { commandRefusal } from './managed.ts'
import type { schemaProblems } from './messages.ts'
import { modelRefRefusal, type EngineTable } from './model-ref.ts'
import { ConfigError, problemText, type Problem } from './problem.ts'
import { completed } from './remote.ts'
import { soundBeside, type Relation } from './relation.ts'
import { relationsOf } from './relations.ts'
import type { Schema } from './schema.ts'

export type Config = components['schemas']['Config']

/** What a configuration is held to. */
export interface Rules {
  /** Fills in defaults in place; `errors` is all that is wrong. */
  readonly validate: { (config: unknown): boolean; readonly errors?: readonly ErrorObject[] | null }
  /** The schema the validator was made from, for messages; the generated one unless given. */
  readonly schema?: Schema
  readonly engines: EngineTable
}

const generated: Rules = { validate: validateConfig, engines }

// Most starts have nothing to complain about.
const messages = (): { readonly schemaProblems: typeof schemaProblems } =>
  createRequire(import.meta.url)('./messages.ts') as { readonly schemaProblems: typeof schemaProblems }

/** Fills in defaults, in a copy, and finds all that is wrong: only where nothing is may `config` be used. The relations in `more` come last. */
export function examine(
  given: Readonly<Record<string, unknown>>,
  more: readonly Relation[] = [],
  rules: Rules = generated,
): { readonly config: Config; readonly problems: readonly Problem[] } {
  const config = structuredClone(completed(given))
  const problems = rules.validate(config) ? [] : messages().schemaProblems(rules.validate.errors ?? [], config, rules.schema)
  // Only what is sound has the type that it says.
  const checked = config as Config
  for (const relations of [relationsOf(rules.engines), more]) {
    const sound = soundBeside([...problems])
    problems.push(...relations.flatMap((relation) => relation(checked, sound)))
  }
  return { config: checked, problems }
}

/**
 * Fills in defaults and checks a configuration as it stands in a file.
 * @throws ConfigError naming the path of everything that is wrong
 */
export function checkConfig(given: Readonly<Record<string, unknown>>, rules: Rules = generated): Config {
  const { config, problems } = examine(given, [], rules)
  if (problems.length > 0) throw new ConfigError(problems.map(problemText))
  return config
}

/**
 * A pool whose model was changed while the daemon runs.
 * @throws ConfigError where its driver does not take the reference, or its command does not tell it
 */
export function checkPool(pool: Config['pools'][number]): Config['pools'][number] {
  const refusal = modelRefRefusal(engines, pool) ?? commandRefusal(engines, pool)
  if (refusal !== undefined) throw new ConfigError([refusal])
  return pool
}

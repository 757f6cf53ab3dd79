import type { components } from '../../generated/api.ts'
import type { components as config } from '../../generated/config.ts'
import type { Clock } from './clock.ts'
import type { Engine } from './engine.ts'

type Pool = config['schemas']['Pool']

/** What an engine can do beyond the port, as the capabilities list it. */
export type EngineFeature = components['schemas']['EngineCapability']['features'][number]

/** What one engine instance is made with. */
export interface EngineParts<P extends object = Pool> {
  /** Of this engine, with its defaults filled in. */
  readonly pool: P
  readonly replica: Pool['replicas'][number]
  /** Finds the file of a `file:` or `catalog:` model; rejects where the model has none, and says why. */
  readonly modelFile: () => Promise<string>
  readonly clock: Clock
  /** What the server of a remote engine wants as a key. A secret. */
  readonly api_key?: string
  /** Takes what the engine writes, line by line. */
  readonly onOutput: (line: string) => void
}

/**
 * Asks a server one thing: GET, or POST where there is a body. Resolves with the JSON of its answer, and with undefined where it has no such
 * call or answers with something else. Rejects where nobody answers, or nobody without a key.
 */
export type AskServer = (path: string, body?: object) => Promise<unknown>

/** One way of running an engine. */
export interface EngineDriver {
  readonly description: string
  /** The beginnings of the model references it takes, each with its colon. */
  readonly schemes: readonly [string, ...string[]]
  /** The engine is a server: its pools have a `url`, and the context may be left to it. */
  readonly remote?: true
  /** The daemon starts the server itself: its pools have a `command`, and the context may be left to it. */
  readonly managed?: true
  /**
   * Of a server: the names of the models it serves, where it is of this kind. The kinds are asked in the order of the registry; a kind that
   * others speak the language of comes after them.
   */
  readonly recognize?: (ask: AskServer) => Promise<readonly string[] | undefined>
  /** An npm package that a user installs beside the daemon; its pools cannot be without it. */
  readonly library?: string
  /** Options of this driver alone, in place of those of the engine; a file like `EngineDefinition.options`. */
  readonly options?: URL
}

/** Everything the daemon has to know of a kind of engine. Its name is its key in the registry and the key of its options in a pool. */
export interface EngineDefinition<P extends object = Pool> {
  /** A JSON Schema (draft 7, without references) of its own options, with their defaults. Only codegen reads it. */
  readonly options: URL
  readonly drivers: Readonly<Record<string, EngineDriver>>
  /** What it can do at most. What a running one says of itself (`EngineProps`) counts. */
  readonly features: readonly EngineFeature[]
  /** Makes an engine that is not started. A method, so that a registry may hold engines of different pools: it is given its own only. */
  create(parts: EngineParts<P>): Engine
}

/** Engines by name, each loaded when a pool uses it: most of them are no part of most starts. */
export type EngineRegistry = Readonly<Record<string, () => Promise<{ readonly definition: EngineDefinition }>>>

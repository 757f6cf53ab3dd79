/** The door of this room: what others need of the configuration. */
export { checkConfig, checkPool, type Config } from './check.ts'
export { splitListen } from './listen.ts'
export { loadConfig } from './load.ts'
export { ConfigError, problemText } from './problem.ts'
export type { Relation } from './relation.ts'
export { keyVariableOf, serverKeys, type Environment } from './remote.ts'

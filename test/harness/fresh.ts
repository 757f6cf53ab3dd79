import { createRequire } from 'node:module'

interface Builds {
  /** Builds the page where it is older than its sources, as `npm start` does. @throws Error where it cannot be built */
  readonly freshPage: () => Promise<void>
  /** The file of the bundled program, built where it is older than its sources, as `npm start` does. @throws Error where it cannot be built */
  readonly freshProgram: () => Promise<string>
}

export const { freshPage, freshProgram } = createRequire(import.meta.url)('../../scripts/fresh.cjs') as Builds

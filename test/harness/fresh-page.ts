import { createRequire } from 'node:module'

/** Builds the page where it is older than its sources, as `npm start` does. @throws Error where it cannot be built */
export const { freshPage } = createRequire(import.meta.url)('../../scripts/web/fresh.cjs') as { freshPage: () => Promise<void> }

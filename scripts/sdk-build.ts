/** `npm run sdk:build` makes sdk/dist, what `npm publish ./sdk` publishes, and fails where a page would load more than it may. */
import { join } from 'node:path'
import { buildSdk, budget_bytes, loadedBytes } from './sdk/build.ts'

const target = join(import.meta.dirname, '../sdk/dist')
buildSdk(target)
const bytes = loadedBytes(target)
console.log(`sdk/dist: a page loads ${bytes} bytes of at most ${budget_bytes}, openapi-fetch included, gzipped and not minified`)
if (bytes >= budget_bytes) process.exitCode = 1

/** `npm run web:build` makes web/dist, the page that the daemon serves at `/`, and fails where it is larger than it may be. */
import { buildPage, budget_bytes, pageBytes } from './web/build.ts'

await buildPage()
const bytes = pageBytes()
console.log(`web/dist: the page is ${bytes} bytes of at most ${budget_bytes}, gzipped`)
if (bytes > budget_bytes) process.exitCode = 1

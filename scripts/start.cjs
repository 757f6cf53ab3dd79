'use strict'
// `npm start` in a checkout: what is stale of the page is built, then the daemon runs in this process.
require('./require-node.cjs')
require('./compile-cache.cjs')
const { freshPage } = require('./web/fresh.cjs')

freshPage()
  // The daemon needs no page.
  .catch((error) => console.error(`The page is not built: ${error instanceof Error ? error.message : error}`))
  .then(() => require('../bin/orchestratord.cjs'))

'use strict'
// `npm start` in a checkout: what is stale of the program and of its page is built, then the daemon runs in this process.
const { existsSync } = require('node:fs')
require('./require-node.cjs')
require('./compile-cache.cjs')
const { freshPage, freshProgram } = require('./fresh.cjs')

const unlessBuilt = (what) => (error) => console.error(`${what} is not built: ${error instanceof Error ? error.message : error}`)

// The daemon needs no page, and without the bundle it runs from the sources.
Promise.all([freshProgram().catch(unlessBuilt('The bundle')), freshPage().catch(unlessBuilt('The page'))]).then(([program]) =>
  require(program ?? '../bin/orchestratord.cjs'),
)

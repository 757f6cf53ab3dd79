'use strict'
// Plain CommonJS on purpose: it has to run on the Node that is too old for everything else.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `orchestratord needs Node >= 24, this is ${process.versions.node}: run "npm ci" without --omit=optional (it brings its own Node), or install Node 24.`,
  )
  process.exit(1)
}

#!/usr/bin/env node
'use strict'
const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const { join } = require('node:path')

/** The Node that `npm ci` brings. */
const own = join(__dirname, '../node_modules/.bin/node')

if (Number(process.versions.node.split('.')[0]) < 24 && existsSync(own)) handOver()
else run()

/** Runs the same on the Node that came along, for the one that was called is too old. */
function handOver() {
  const child = spawn(own, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal tells both of them.
  process.on('SIGINT', () => undefined)
  child.on('error', (error) => {
    throw error
  })
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function run() {
  require('../scripts/require-node.cjs')
  require('../scripts/compile-cache.cjs')
  // The daemon is what runs without a command; it starts without what reads the other ones.
  const [, , command] = process.argv
  const daemon = command === undefined || command === 'serve' || command.startsWith('-')
  if (command === 'serve') process.argv.splice(2, 1)
  // Not the program itself: to load a TypeScript file before the cache is on brings in the whole compiler.
  if (daemon) import('../src/main.ts')
  else import('../cli/main.ts')
}

#!/usr/bin/env node
'use strict'
require('../scripts/require-node.cjs')
require('../scripts/compile-cache.cjs')
// The daemon is what runs without a command; it starts without what reads the other ones.
const [, , command] = process.argv
const daemon = command === undefined || command === 'serve' || command.startsWith('-')
if (command === 'serve') process.argv.splice(2, 1)
// Not the program itself: to load a TypeScript file before the cache is on brings in the whole compiler.
if (daemon) import('../src/main.ts')
else import('../cli/main.ts')

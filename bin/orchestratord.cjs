#!/usr/bin/env node
'use strict'
require('../scripts/require-node.cjs')
require('../scripts/compile-cache.cjs')
// Not the program itself: to load a TypeScript file before the cache is on brings in the whole compiler.
import('../src/main.ts')

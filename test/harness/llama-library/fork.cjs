'use strict'
// The embedded engine's child spends 1.6 s of a processor on loading 583 modules and on a trial of its binary in another process; the tests start some
// two hundred of them. Here a child takes its library from one file without that trial. Programs that the tests start take it as it is installed.
const child_process = require('node:child_process')
const { createHash } = require('node:crypto')
const { existsSync, readFileSync } = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const modules = join(__dirname, '../../../node_modules')
const build = join(__dirname, 'build.ts')
const digest = createHash('sha256')
for (const given of [join(modules, 'node-llama-cpp/package.json'), build]) digest.update(readFileSync(given))
/** Below `node_modules`, where the library finds its binaries. */
const file = join(modules, '.cache/orchestratord', `llama-library-${digest.digest('hex')}.mjs`)
if (!existsSync(file)) child_process.execFileSync(process.execPath, [build, file])

/** A module for the child: who asks for the library gets the file, where the library is installed. */
const hook = `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(name, from, next) {
      const found = next(name, from)
      return name === 'node-llama-cpp' ? { ...found, url: ${JSON.stringify(pathToFileURL(file).href)} } : found
    },
  })`
const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]

const { fork } = child_process
child_process.fork = (program, args, options) =>
  fork(program, args, /llamacpp.[\w-]*child\.ts$/.test(program) ? { ...options, execArgv } : options)
syncBuiltinESMExports()

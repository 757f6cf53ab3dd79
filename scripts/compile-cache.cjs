'use strict'
const { enableCompileCache } = require('node:module')
const { homedir } = require('node:os')
const { isAbsolute, join } = require('node:path')

/**
 * Where Node keeps what it has compiled and stripped of types, for the next start: the user's own cache folder. The folder for temporary files,
 * which Node takes by itself, is open to others, and what lies there would be run.
 */
function cacheFolder() {
  const given = process.env.XDG_CACHE_HOME
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), '.cache'), 'orchestratord')
}

try {
  // As a variable it reaches threads and child processes, too. One that is set stays, and NODE_DISABLE_COMPILE_CACHE turns all of it off.
  process.env.NODE_COMPILE_CACHE ??= cacheFolder()
  // It does not throw where the folder cannot be written.
  enableCompileCache()
} catch {
  // A user without a home has no cache; only the start is slower.
}

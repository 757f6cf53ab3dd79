'use strict'
// A promise that rejects while nobody waits for it ends the daemon; Mocha by itself lets it pass.
const rejected = []
process.on('unhandledRejection', (reason) => rejected.push(reason))

function none() {
  const [first] = rejected.splice(0)
  if (first !== undefined) throw new Error('a promise was rejected that nobody waits for', { cause: first })
}

exports.mochaHooks = { afterEach: none, afterAll: none }

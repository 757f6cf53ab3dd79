'use strict'
// A promise that rejects while nobody waits for it ends the daemon; Mocha by itself lets it pass. A test may come to one of its own later.
const rejected = new Map()
process.on('unhandledRejection', (reason, promise) => rejected.set(promise, reason))
process.on('rejectionHandled', (promise) => rejected.delete(promise))

function none() {
  const [first] = rejected.values()
  rejected.clear()
  if (first !== undefined) throw new Error('a promise was rejected that nobody waits for', { cause: first })
}

exports.mochaHooks = { afterEach: none, afterAll: none }

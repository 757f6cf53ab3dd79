import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free loopback port, tells the parent, and answers its questions: CPU time and memory here, everything else by `answer`. */
export function report(server: Server, answer: (question: object) => Promise<object> = () => Promise.resolve({})): void {
  // On a busy machine an idle connection would be closed under a client that is about to use it again.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port })
  })
  process.on('message', (question: object | 'usage') => {
    if (question === 'usage') {
      const { user, system } = process.cpuUsage()
      process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() })
    } else void answer(question).then((reply) => process.send?.(reply))
  })
  process.on('disconnect', () => process.exit(0))
}

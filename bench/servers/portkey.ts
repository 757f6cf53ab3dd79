import { Server } from 'node:http'
import { report } from './report.ts'

// Portkey's gateway as its own package starts it, but on loopback and on any free port. It says so on standard output, which nobody reads.
const servers: Server[] = []
Server.prototype.listen = function (this: Server) {
  servers.push(this)
  return this
}
Object.assign(console, { clear: () => undefined })
process.argv.push('--headless')
process.stdout.write = () => true
await import(import.meta.resolve('@portkey-ai/gateway/build/start-server.js'))
Reflect.deleteProperty(Server.prototype, 'listen')
const [gateway] = servers
if (gateway === undefined) throw new Error('the gateway has started no server')
report(gateway)

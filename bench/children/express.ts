import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'

// What express costs before it does anything.
const app = express()
app.get('/healthz', (_req, res) => void res.json({ status: 'ok' }))
const server: Server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ address: `http://127.0.0.1:${port}` })}\n`)
})

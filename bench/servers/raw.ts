import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Ajv } from 'ajv'
import { acceptedReply } from './reply.ts'
import { report } from './report.ts'

// What the platform itself costs: node:http, JSON.parse and one precompiled validator.
interface Bundle {
  readonly components: { readonly schemas: Record<string, object> }
}
const bundle = JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as Bundle
const ajv = new Ajv({ strict: false, useDefaults: true })
const validate = ajv.compile<{ task_id: string }>({ ...bundle, $ref: '#/components/schemas/TaskRequest' })

report(
  createServer((req, res) => {
    let text = ''
    req.setEncoding('utf8')
    req.on('data', (chunk: string) => (text += chunk))
    req.on('end', () => {
      const body: unknown = JSON.parse(text)
      if (!validate(body)) {
        res.writeHead(400).end()
        return
      }
      const reply = JSON.stringify(acceptedReply(body.task_id))
      res.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(reply) }).end(reply)
    })
  }),
)

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import formats, { type FormatsPlugin } from 'ajv-formats'
import express, { type Request, type Response } from 'express'
import { OpenAPIBackend, type Context, type Document } from 'openapi-backend'
import { acceptedReply } from './reply.ts'
import { report } from './report.ts'

type Ajv = Parameters<FormatsPlugin>[0]
const addFormats = (ajv: Ajv): Ajv => (formats as unknown as FormatsPlugin)(ajv)

// The plainest use of the same stack and contract: parse, route, validate, answer.
const definition = JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as Document
const api = new OpenAPIBackend({
  definition,
  customizeAjv: addFormats,
  handlers: {
    createTask: (context: Context, _req: Request, res: Response) => {
      const { task_id } = context.request.requestBody as { task_id: string }
      return res.status(202).json(acceptedReply(task_id))
    },
    validationFail: (_context: Context, _req: Request, res: Response) => res.status(400).json({}),
    notFound: (_context: Context, _req: Request, res: Response) => res.status(404).json({}),
    unauthorizedHandler: (_context: Context, _req: Request, res: Response) => res.status(401).json({}),
  },
  securityHandlers: { ApiKey: () => true, Bearer: () => true },
})
await api.init()
const app = express()
app.use(express.json())
app.use((req, res, next) => {
  const { method, path, query, headers } = req
  api
    .handleRequest(
      { method, path, query: query as Record<string, string>, body: req.body as unknown, headers: headers as Record<string, string> },
      req,
      res,
    )
    .catch(next)
})
report(createServer(app))

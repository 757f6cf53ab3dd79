import type { IRouter, RequestHandler } from 'express'
import { encodingFor, pageFiles, type PageFile } from './files.ts'

/** What the page may do: load what is ours and ask this daemon. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}
const missing = 'The page is not built. Run "npm run web:build" in the checkout, then start the daemon anew.\n'

/** The operator's page at `/`; public, for its files hold nothing of anybody. They are read when the first one is asked for. */
export function webRoutes(pages: IRouter): void {
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined
  const send: RequestHandler = async (req, res, next) => {
    const file = (await (files ??= pageFiles())).get(req.path)
    if (file === undefined) {
      if (req.path !== '/') {
        next()
        return
      }
      res
        .set({ ...headers, 'Cache-Control': 'no-store' })
        .status(404)
        .type('text/plain')
        .send(missing)
      return
    }
    const { type, etag, content } = file
    // What an asset holds is in its name.
    const caching = req.path === '/' ? 'no-cache' : 'public, max-age=31536000, immutable'
    res.set({ ...headers, 'Cache-Control': caching, ETag: etag, Vary: 'Accept-Encoding' })
    if (req.headers['if-none-match'] === etag) {
      res.status(304).end()
      return
    }
    const encoding = encodingFor(req.headers['accept-encoding'] ?? '')
    if (encoding !== 'identity') res.set('Content-Encoding', encoding)
    res.set({ 'Content-Type': type, 'Content-Length': String(content[encoding].length) }).end(content[encoding])
  }
  pages.get('/', send)
  pages.get('/assets/:name', send)
}

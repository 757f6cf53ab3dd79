import type { OpenAPIRouter, ParsedRequest, Request } from 'openapi-backend'

/** A request on its way through openapi-backend. */
export interface Incoming extends Request {
  /** Set once the route is known and takes one. */
  body: unknown
  /** What the router has made of the request. The library copies requests; the copies share this. */
  readonly parsed: { request?: ParsedRequest }
}

/**
 * Has openapi-backend parse a request once. By itself it does so four times: before and after routing, for validation and after coercion,
 * which changes the parsed query in place. Only the body comes in between.
 */
export function parseOnce(router: OpenAPIRouter): void {
  const parse = router.parseRequest.bind(router)
  router.parseRequest = (request, operation) => {
    const { method, path, headers, body, parsed } = request as Incoming
    // Without a route there are no parameters, and the answers to that need none.
    if (operation === undefined) return { method, path, headers, params: {}, query: {}, cookies: {}, requestBody: undefined }
    parsed.request ??= parse(request, operation)
    parsed.request.requestBody = body
    return parsed.request
  }
}

/**
 * What a client of one contract finds broken in a later one. Compared is what goes over the wire, with references followed, and what
 * generated clients are made of; descriptions and examples are not.
 *
 * Clients ignore fields, headers, error statuses and SSE events they do not know, so those may be added. A value added to an enum they
 * receive breaks them, as theirs is closed, unless the released contract marks the enum `x-extensible: true`.
 */
import { type Contract, isObject, type Json, type JsonObject, objectOf, textOf, type Operation } from './document.ts'
import { type Finding, SchemaDiff } from './diff-schema.ts'
import { sameJson } from './same.ts'

export type { Finding } from './diff-schema.ts'

/** Everything in `after` that breaks a client of `before`. Both are bundled: references stay inside the document. */
export function breakingChanges(before: Contract, after: Contract): Finding[] {
  const found: Finding[] = []
  const differ = new OperationDiff(before, after, found)
  const now = after.operations()
  for (const [name, operation] of before.operations()) {
    const counterpart = now.get(name)
    if (counterpart === undefined) found.push({ where: name, what: 'the operation was removed' })
    else differ.compare(operation, counterpart)
  }
  return found
}

class OperationDiff {
  private readonly before: Contract
  private readonly after: Contract
  private readonly found: Finding[]
  private readonly schemas: SchemaDiff

  constructor(before: Contract, after: Contract, found: Finding[]) {
    this.before = before
    this.after = after
    this.found = found
    this.schemas = new SchemaDiff(before, after, found)
  }

  compare(old: Operation, now: Operation): void {
    for (const field of ['operationId', 'x-role']) {
      const [was, is] = [old.operation[field], now.operation[field]]
      if (was !== undefined && was !== is)
        this.report(old.name, `${field} changed from ${JSON.stringify(was)} to ${JSON.stringify(is ?? null)}`)
    }
    this.compareSecurity(old, now)
    this.compareParameters(old, now)
    this.compareBodies(old, now)
    this.compareResponses(old, now)
    this.compareEvents(old, now)
  }

  private compareSecurity(old: Operation, now: Operation): void {
    const schemes = (contract: Contract, alternative: JsonObject): Json =>
      Object.entries(alternative).map(([name, scopes]) => [
        scopes,
        contract.resolve(objectOf(objectOf(contract.root['components'])['securitySchemes'])[name]) ?? {},
      ])
    const alternatives = now.security.map((one) => schemes(this.after, one))
    const open = (list: readonly JsonObject[]): boolean => list.length === 0 || list.some((one) => Object.keys(one).length === 0)
    if (open(now.security)) return
    if (open(old.security)) this.report(old.name, 'it now asks for a key')
    for (const alternative of old.security) {
      const asked = schemes(this.before, alternative)
      if (Object.keys(alternative).length > 0 && !alternatives.some((one) => sameJson(one, asked)))
        this.report(old.name, `the security ${Object.keys(alternative).join(' and ')} is no longer taken as it was`)
    }
  }

  private compareParameters(old: Operation, now: Operation): void {
    const key = ({ name, in: place }: JsonObject): string =>
      `${textOf(place)} parameter ${place === 'header' ? textOf(name).toLowerCase() : textOf(name)}`
    const current = new Map(now.parameters.map((parameter) => [key(parameter), parameter]))
    for (const parameter of old.parameters) {
      const where = `${old.name} > request > ${key(parameter)}`
      const counterpart = current.get(key(parameter))
      current.delete(key(parameter))
      if (counterpart === undefined) {
        this.report(where, 'the parameter was removed')
        continue
      }
      if (counterpart['required'] === true && parameter['required'] !== true) this.report(where, 'it became required')
      for (const field of ['style', 'explode', 'allowReserved', 'content'])
        if (!sameJson(parameter[field], counterpart[field])) this.report(where, `${field} changed`)
      this.schemas.compare('request', where, parameter['schema'], counterpart['schema'])
    }
    for (const [name, parameter] of current)
      if (parameter['required'] === true) this.report(`${old.name} > request > ${name}`, 'a required parameter was added')
  }

  private compareBodies(old: Operation, now: Operation): void {
    const where = `${old.name} > request > body`
    const [was, is] = [this.before.resolve(old.operation['requestBody']), this.after.resolve(now.operation['requestBody'])]
    if (was === undefined) {
      if (is?.['required'] === true) this.report(where, 'a required body was added')
      return
    }
    if (is === undefined) {
      this.report(where, 'the body was removed')
      return
    }
    if (is['required'] === true && was['required'] !== true) this.report(where, 'it became required')
    this.compareContent('request', where, was, is)
  }

  private compareResponses(old: Operation, now: Operation): void {
    const [was, is] = [objectOf(old.operation['responses']), objectOf(now.operation['responses'])]
    for (const [status, response] of Object.entries(was)) {
      const where = `${old.name} > ${status}`
      if (!(status in is)) {
        this.report(where, 'the status was removed')
        continue
      }
      const [before, after] = [this.before.resolve(response) ?? {}, this.after.resolve(is[status]) ?? {}]
      this.compareHeaders(where, before, after)
      this.compareContent('response', `${where} > body`, before, after)
    }
    // A client takes an error it does not know by its class; a success it does not know may mean anything.
    for (const status of Object.keys(is))
      if (!(status in was) && !/^[45]/.test(status)) this.report(`${old.name} > ${status}`, 'a status other than an error was added')
  }

  private compareHeaders(where: string, before: JsonObject, after: JsonObject): void {
    const byName = (response: JsonObject): Map<string, Json> =>
      new Map(Object.entries(objectOf(response['headers'])).map(([name, header]) => [name.toLowerCase(), header]))
    const current = byName(after)
    for (const [name, header] of byName(before)) {
      const at = `${where} > header ${name}`
      const [was, is] = [this.before.resolve(header) ?? {}, this.after.resolve(current.get(name))]
      if (is === undefined) {
        this.report(at, 'the header was removed')
        continue
      }
      if (was['required'] === true && is['required'] !== true) this.report(at, 'it is no longer always there')
      this.schemas.compare('response', at, was['schema'], is['schema'])
    }
  }

  private compareContent(direction: 'request' | 'response', where: string, before: JsonObject, after: JsonObject): void {
    const [was, is] = [objectOf(before['content']), objectOf(after['content'])]
    for (const [type, media] of Object.entries(was)) {
      const counterpart = is[type]
      if (isObject(counterpart)) this.schemas.compare(direction, where, objectOf(media)['schema'], counterpart['schema'])
      else this.report(where, `the media type ${type} was removed`)
    }
    if (direction === 'response')
      for (const type of Object.keys(is))
        if (!(type in was)) this.report(where, `the media type ${type} was added: a client may get what it cannot read`)
  }

  private compareEvents(old: Operation, now: Operation): void {
    const is = objectOf(now.operation['x-sse-events'])
    for (const [event, schema] of Object.entries(objectOf(old.operation['x-sse-events']))) {
      const where = `${old.name} > event ${event}`
      if (event in is) this.schemas.compare('response', where, schema, is[event])
      else this.report(where, 'the event was removed')
    }
  }

  private report(where: string, what: string): void {
    this.found.push({ where, what })
  }
}

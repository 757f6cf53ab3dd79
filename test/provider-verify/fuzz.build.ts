import { operations } from '../../generated/operations.ts'
import { mismatch, operationIds, parametersOf, resolve, type OperationId, type Parameter } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { bodyIsWrong, payloadOf } from './fuzz.body.ts'
import type { Draft } from './fuzz.draft.ts'
import type { Kind, Known, Memory } from './fuzz.memory.ts'

/** A request ready to be sent, and the statuses it may get. */
export interface Wire {
  readonly op: OperationId
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: string | undefined
  readonly expected: readonly number[]
  /** No operation: the path or the method is none. */
  readonly shell: boolean
  readonly resumed: boolean
  readonly leave: boolean
  /** The answer may be a stream. */
  readonly streams: boolean
  readonly key: string
  /** What a cursor of its answer is good for. */
  readonly list: string
  readonly about: { readonly kind: Kind; readonly id: string } | undefined
}

/** What a request gets that keeps the contract and comes with a key that may. */
const possible: Readonly<Record<OperationId, readonly number[]>> = {
  createTask: [200, 202, 400, 403, 404, 409, 429, 503],
  listTasks: [200],
  getTask: [200, 404],
  streamTask: [200, 204, 404],
  streamEvents: [200, 404, 429],
  cancelTask: [204, 404],
  listSessions: [200],
  getSession: [200, 404],
  deleteSession: [204, 404],
  getUsage: [200, 400],
  getCapabilities: [200],
  listPools: [200],
  getPoolHealth: [200, 404],
  listQueue: [200, 404],
  listArtifacts: [200],
  createArtifact: [201, 400],
  getArtifact: [200, 404],
  putSession: [200, 400],
  drainPool: [200, 202, 404],
  resumePool: [202, 404, 409],
  reloadPool: [202, 400, 404, 409],
  loadPool: [200, 202, 404, 409],
  unloadPool: [200, 202, 404, 409],
  getConfig: [200],
  listCatalogModels: [200],
  createCatalogModel: [201, 400, 409, 422],
  getCatalogModel: [200, 404],
  deleteCatalogModel: [204, 404, 409],
  verifyCatalogModel: [202, 404, 409],
  setCatalogModelState: [202, 404],
}

/** Keys that may not use the operations of a role. */
const barred = { data: [keys.control], control: [keys.data, keys.other] } as const

const kindOf = (op: OperationId): Kind | undefined =>
  (['task', 'session', 'artifact', 'pool', 'model'] as const).find((kind) => operations[op].path.includes(`/${kind}s/{id}`))

/** Methods of a path. */
export const methodsOf = (op: OperationId): string[] =>
  operationIds.filter((other) => operations[other].path === operations[op].path).map((other) => operations[other].method.toUpperCase())

/** Makes a draft a request about things that exist. */
export function build(draft: Draft, memory: Memory): Wire {
  const { op, spoil } = draft
  const kind = op === 'createTask' ? 'task' : kindOf(op)
  const known = kind === undefined ? undefined : memory.pick(kind, draft.reuse)
  const key = {
    owner: operations[op].role === 'control' ? keys.control : (known?.key ?? keys.data),
    data: keys.data,
    other: keys.other,
    all: keys.all,
    control: keys.control,
    wrong: 'key-none',
    nobody: '',
  }[draft.who]
  const wrongs: (readonly number[] | undefined)[] = []

  const declared = parametersOf(op)
  const segment = segmentOf(draft, known)
  const pathSchema = declared.find((parameter) => parameter.in === 'path')
  if (pathSchema !== undefined) wrongs.push(segmentIsWrong(segment, pathSchema) ? [400] : undefined)

  const query = queryOf(draft, memory)
  wrongs.push(queryIsWrong(query, declared) ? [400] : undefined)

  const resume =
    spoil?.kind === 'header'
      ? spoil.value
      : draft.seen !== undefined && known !== undefined && known.frames.size > 0
        ? [...known.frames][draft.seen % known.frames.size]
        : draft.resume
  const resumeSchema = declared.find((parameter) => parameter.in === 'header')
  // A header without a value says nothing.
  if (resume !== undefined && resume !== '' && resumeSchema !== undefined)
    wrongs.push(mismatch(resumeSchema.schema, resume) === undefined ? undefined : [400])

  const payload = operations[op].body ? payloadOf(draft, known, memory) : undefined
  if (payload !== undefined) wrongs.push(bodyIsWrong(op, payload, draft))

  const other = spoil?.kind === 'method' && !methodsOf(op).includes(spoil.method) ? spoil.method : undefined
  const route = spoil?.kind === 'route' ? spoil.path : undefined
  const headers = {
    ...(key === '' ? {} : draft.bearer ? { Authorization: `Bearer ${key}` } : { 'X-API-Key': key }),
    ...(resume === undefined ? {} : { 'Last-Event-ID': resume }),
    ...(draft.accept === undefined ? {} : { Accept: draft.accept.value }),
    ...(draft.correlation === undefined ? {} : { 'X-Correlation-Id': draft.correlation }),
    ...(payload === undefined || (spoil?.kind === 'type' && spoil.value === '')
      ? {}
      : { 'Content-Type': spoil?.kind === 'type' ? spoil.value : 'application/json' }),
    ...(spoil?.kind === 'encoding' ? { 'Content-Encoding': spoil.value } : {}),
  }
  const streams = op === 'streamTask' || op === 'streamEvents' || (op === 'createTask' && draft.accept?.stream === true)
  const usual = op === 'createTask' ? possible[op].filter((status) => status !== (streams ? 202 : 200)) : possible[op]
  const search = query.length === 0 ? '' : `?${query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')}`
  const list = `${op} ${segment} ${key}`
  const cursor = query.find(([name]) => name === 'cursor')?.[1]
  const lost = cursor !== undefined && !memory.cursors.some((one) => one.cursor === cursor && one.list === list)
  const both = query.some(([name]) => name === 'offset') && cursor !== undefined
  const refused = [
    ...(isForeign(query, key) ? [403] : []),
    ...(both ? [400, 404] : []),
    ...(lost ? [400, ...usual.filter((status) => status >= 400)] : []),
  ]
  const wrong = wrongs.find((statuses) => statuses !== undefined)
  return {
    op,
    method: other ?? operations[op].method.toUpperCase(),
    path: `${route ?? operations[op].path.replace('{id}', segment)}${search}`,
    headers,
    payload,
    expected:
      key === ''
        ? [401]
        : draft.who === 'wrong'
          ? // What is no operation of ours may be answered as OpenAI's API would.
            route !== undefined
            ? [401, 403]
            : [403]
          : route !== undefined
            ? [404]
            : other !== undefined
              ? [405]
              : (barred[operations[op].role] as readonly string[]).includes(key)
                ? [403, ...(wrong ?? [])]
                : (wrong ?? (refused.length > 0 ? refused : usual)),
    shell: route !== undefined || other !== undefined,
    resumed: resume !== undefined && resume !== '',
    // A feed has no end.
    leave: (draft.leave && streams) || op === 'streamEvents',
    streams,
    key,
    list,
    about: kind === undefined || op === 'createTask' ? undefined : { kind, id: segment },
  }
}

/** Whether it names another key as the owner, without the role for that. */
const isForeign = (query: readonly (readonly [string, string])[], key: string): boolean =>
  query.some(([name, value]) => name === 'owner' && `key-${value}` !== key) && key !== keys.control && key !== keys.all

function segmentOf({ spoil, id }: Draft, known: Known | undefined): string {
  if (spoil?.kind === 'segment') return spoil.segment
  const value = spoil?.kind === 'id' ? String(spoil.value) : (known?.id ?? id)
  // A surrogate without its other half cannot be written in a URL, and without a segment it is another route.
  return encodeURIComponent(value.toWellFormed() === '' ? '_' : value.toWellFormed())
}

function segmentIsWrong(segment: string, { schema }: Parameter): boolean {
  try {
    return mismatch(schema, decodeURIComponent(segment)) !== undefined
  } catch {
    return true
  }
}

function queryOf({ query, spoil, reuse }: Draft, memory: Memory): [string, string][] {
  const values = new Map(Object.entries(query).map(([name, value]) => [name, String(value).toWellFormed()]))
  if (reuse !== undefined && values.has('cursor') && memory.cursors.length > 0)
    values.set('cursor', memory.cursors[reuse % memory.cursors.length]!.cursor)
  if (values.has('session_id')) values.set('session_id', memory.pick('session', reuse)?.id ?? values.get('session_id')!)
  const pairs = [...values]
  if (spoil?.kind === 'query') return [...pairs.filter(([name]) => name !== spoil.name), [spoil.name, String(spoil.value).toWellFormed()]]
  if (spoil?.kind === 'again') return [...pairs, [spoil.name, '1'], [spoil.name, '1']]
  return pairs
}

/** A value of a query as its schema takes it. */
function meant(value: string, type: unknown): unknown {
  if (type === 'integer' && /^-?[0-9]+$/.test(value)) return Number(value)
  return type === 'boolean' && /^(true|false)$/.test(value) ? value === 'true' : value
}

function queryIsWrong(pairs: readonly [string, string][], declared: readonly Parameter[]): boolean {
  const names = pairs.map(([name]) => name)
  return pairs.some(([name, value]) => {
    const parameter = declared.find((one) => one.in === 'query' && one.name === name)
    if (parameter === undefined || names.indexOf(name) !== names.lastIndexOf(name)) return true
    return mismatch(parameter.schema, meant(value, resolve(parameter.schema).type)) !== undefined
  })
}

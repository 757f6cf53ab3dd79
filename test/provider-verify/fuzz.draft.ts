import fc, { type Arbitrary } from 'fast-check'
import { operations } from '../../generated/operations.ts'
import { bodyOf, parametersOf, type OperationId, type Parameter } from '../harness/contract.ts'
import { brokenOf, valueOf } from '../harness/schema-arbitrary.ts'
import { accepts, methods, placements, resumes, routes, segments, strangeNames, talks, texts, types } from './fuzz.samples.ts'

/** Whose key a request carries; `owner` is the key of the thing it is about. */
export type Who = 'owner' | 'data' | 'other' | 'all' | 'control' | 'wrong' | 'nobody'

/** What is wrong with a request. */
export type Spoil =
  | { readonly kind: 'body'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'twice' | 'large' | 'none' }
  | { readonly kind: 'type' | 'encoding'; readonly value: string }
  | { readonly kind: 'segment'; readonly segment: string }
  | { readonly kind: 'id'; readonly value: unknown }
  | { readonly kind: 'query'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'again'; readonly name: string }
  | { readonly kind: 'header'; readonly value: string }
  | { readonly kind: 'method'; readonly method: string }
  | { readonly kind: 'route'; readonly path: string }

/** What makes a task one that a pool here may take. */
export interface Steer {
  readonly model: string
  readonly max_tokens: number
  readonly ctx: number
  readonly deadline_ms: number
  readonly session: number
  /** The conversation, where it is one. */
  readonly talk: readonly unknown[] | undefined
  /** Takes out what asks an engine for more than text. */
  readonly plain: boolean
  /** Fields that the task leaves to the daemon. */
  readonly without: readonly string[]
  readonly placement: Readonly<Record<string, unknown>> | undefined
}

/** A request before it is known which ids there are. */
export interface Draft {
  readonly op: OperationId
  /** Which of the known things it is about; a new id where there is none. */
  readonly reuse: number | undefined
  readonly id: string
  /** Of a task from the schema that has no id. */
  readonly newId: string
  readonly who: Who
  readonly bearer: boolean
  readonly query: Readonly<Record<string, unknown>>
  /** Which id of a frame seen before is the Last-Event-ID, instead of `resume`. */
  readonly seen: number | undefined
  readonly resume: string | undefined
  readonly body: unknown
  readonly steer: Steer | undefined
  readonly correlation: string | undefined
  readonly accept: (typeof accepts)[number] | undefined
  readonly spoil: Spoil | undefined
  /** How many of it are sent at the same time. */
  readonly copies: number
  /** The client goes away at the first byte of the body. */
  readonly leave: boolean
}

/** Requests that are sent together, and how far time goes on then, ms. */
export interface Step {
  readonly drafts: readonly Draft[]
  readonly advance_ms: number
}

/** A value once in about `among`. */
const some = <T>(arbitrary: Arbitrary<T>, among: number): Arbitrary<T | undefined> =>
  fc.oneof({ weight: among - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

/** `true` once in about `among`. */
const rarely = (among: number): Arbitrary<boolean> => fc.nat({ max: among - 1 }).map((n) => n === 0)

const steer = (models: readonly string[]): Arbitrary<Steer> =>
  fc.record({
    model: fc.constantFrom(...models),
    max_tokens: fc.integer({ min: 1, max: 30 }),
    ctx: fc.constantFrom(64, 512, 8192, 8192, 8193),
    deadline_ms: fc.constantFrom(1, 400, 5000, 600_000, 600_000, 600_000, 86_400_000),
    session: fc.nat({ max: 12 }),
    talk: fc.option(fc.constantFrom(...talks), { nil: undefined, freq: 1 }),
    plain: rarely(12).map((rare) => !rare),
    without: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.subarray(['engine', 'ctx', 'max_tokens', 'deadline_ms', 'session_id', 'workload', 'priority']) },
      {
        weight: 1,
        arbitrary: fc.subarray(['task_id', 'engine', 'ctx', 'max_tokens', 'deadline_ms', 'session_id', 'model_ref', 'workload']),
      },
    ),
    placement: some(fc.constantFrom(...placements), 4),
  })

function spoilOf(op: OperationId): Arbitrary<Spoil> {
  const parameters = parametersOf(op)
  const named = (place: Parameter['in']): Parameter[] => parameters.filter((parameter) => parameter.in === place)
  const body = bodyOf(op)
  const ways: Arbitrary<Spoil>[] = [
    fc.record({ kind: fc.constant('query'), name: fc.constantFrom(...strangeNames), value: fc.constantFrom('1', '', 'valid') }),
    fc.record({ kind: fc.constant('method'), method: fc.constantFrom(...methods) }),
    fc.record({ kind: fc.constant('route'), path: fc.constantFrom(...routes) }),
  ]
  for (const { name, schema } of named('query')) {
    ways.push(fc.record({ kind: fc.constant('query'), name: fc.constant(name), value: brokenOf(schema) }))
    ways.push(fc.record({ kind: fc.constant('again'), name: fc.constant(name) }))
  }
  for (const { schema } of named('path')) {
    ways.push(fc.record({ kind: fc.constant('id'), value: brokenOf(schema) }))
    ways.push(fc.record({ kind: fc.constant('segment'), segment: fc.constantFrom(...segments) }))
  }
  if (named('header').length > 0) ways.push(fc.record({ kind: fc.constant('header'), value: fc.constantFrom(...resumes) }))
  if (body !== undefined) {
    const broken: Arbitrary<Spoil> = fc.record({ kind: fc.constant('body'), value: brokenOf(body.schema) })
    ways.push(broken, broken, broken)
    ways.push(fc.record({ kind: fc.constant('text'), text: fc.constantFrom(...texts) }))
    ways.push(fc.record({ kind: fc.constantFrom('twice', 'large', 'large', 'none') }))
    ways.push(fc.record({ kind: fc.constant('type'), value: fc.constantFrom(...types) }))
    ways.push(fc.record({ kind: fc.constant('encoding'), value: fc.constantFrom('gzip', 'deflate', 'br', 'zip') }))
  }
  return fc.oneof(...ways)
}

const who: Arbitrary<Who> = fc.oneof(
  { weight: 66, arbitrary: fc.constant<Who>('owner') },
  { weight: 24, arbitrary: fc.constantFrom<Who>('data', 'other', 'all') },
  { weight: 10, arbitrary: fc.constantFrom<Who>('control', 'wrong', 'nobody') },
)

const correlation = some(fc.oneof(fc.constantFrom('x'.repeat(128), 'x'.repeat(129), 'a b', '', '~!{}"\\', 'caf\u00e9'), fc.uuid()), 4)

function draftOf(op: OperationId, { models, bodies = {} }: Play): Arbitrary<Draft> {
  const parameters = parametersOf(op)
  const id = parameters.find((parameter) => parameter.in === 'path')
  const resume = parameters.find((parameter) => parameter.in === 'header')
  const query = Object.fromEntries(
    parameters.filter((parameter) => parameter.in === 'query').map(({ name, schema }) => [name, valueOf(schema)]),
  )
  return fc.record({
    op: fc.constant(op),
    reuse:
      op === 'createTask'
        ? some(fc.nat(), 5)
        : fc.oneof({ weight: 8, arbitrary: fc.nat() }, { weight: 1, arbitrary: fc.constant(undefined) }),
    id: id === undefined ? fc.constant('') : (valueOf(id.schema) as Arbitrary<string>),
    newId: fc.uuid(),
    who,
    bearer: rarely(6),
    query: fc.record(query, { requiredKeys: [] }),
    seen: resume === undefined ? fc.constant(undefined) : some(fc.nat(), 2),
    resume: resume === undefined ? fc.constant(undefined) : some(valueOf(resume.schema) as Arbitrary<string>, 4),
    body: bodyFor(op, bodies[op]),
    steer:
      op === 'createTask'
        ? fc.oneof({ weight: 12, arbitrary: steer(models) }, { weight: 1, arbitrary: fc.constant(undefined) })
        : fc.constant(undefined),
    correlation,
    accept: some(fc.constantFrom(...accepts), op === 'createTask' ? 3 : 12),
    spoil: some(spoilOf(op), 5),
    copies: fc.oneof({ weight: 12, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 3 }) }),
    leave: rarely(8),
  })
}

function bodyFor(op: OperationId, useful: Arbitrary<unknown> | undefined): Arbitrary<unknown> {
  if (!operations[op].body) return fc.constant(undefined)
  const any = valueOf(bodyOf(op)!.schema)
  return useful === undefined ? any : fc.oneof({ weight: 8, arbitrary: useful }, { weight: 1, arbitrary: any })
}

/** What changes pools, the catalog or budgets for everybody after it: it leaves few answers of the others certain to be seen. */
export const steering: readonly OperationId[] = [
  'putSession',
  'drainPool',
  'resumePool',
  'reloadPool',
  'createCatalogModel',
  'getCatalogModel',
  'listCatalogModels',
  'deleteCatalogModel',
  'verifyCatalogModel',
  'setCatalogModelState',
]

/** What sequences are made of. */
export interface Play {
  readonly ops: readonly OperationId[]
  /** Models that tasks ask for. */
  readonly models: readonly string[]
  /** Bodies that do more than any body the contract allows. */
  readonly bodies?: Readonly<Partial<Record<OperationId, Arbitrary<unknown>>>>
}

const weights: Partial<Record<OperationId, number>> = {
  createTask: 14,
  streamTask: 7,
  cancelTask: 3,
  getTask: 3,
  getSession: 2,
  deleteSession: 2,
  getArtifact: 2,
  createArtifact: 2,
  putSession: 3,
  resumePool: 5,
  createCatalogModel: 2,
  setCatalogModelState: 2,
}

const advance: Arbitrary<number> = fc.oneof(
  { weight: 60, arbitrary: fc.constant(0) },
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 12, arbitrary: fc.integer({ min: 100, max: 600 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1000, max: 3000 }) },
  { weight: 1, arbitrary: fc.constant(25_000) },
)

/** A sequence of requests, all of them generated from the contract. */
export function sequence(steps: number, play: Play): Arbitrary<Step[]> {
  const draft = fc.oneof(...play.ops.map((op) => ({ weight: weights[op] ?? 1, arbitrary: draftOf(op, play) })))
  return fc.array(fc.record({ drafts: fc.array(draft, { minLength: 1, maxLength: 6 }), advance_ms: advance }), {
    minLength: steps,
    maxLength: steps,
  })
}

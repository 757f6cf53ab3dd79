import { canary, type EngineKit } from './engine-bench.ts'
import { bodyOf, type EngineCall, type EngineServer } from './engine-server.ts'

/** What comes of a call. The words are those of ours that a client may read. */
export type Outcome =
  /** A whole answer. */
  | 'answer'
  /** What there is of an answer counts as one, for nothing tells that it is not. */
  | 'half an answer'
  /** A whole answer, after a pause and a second call. */
  | { readonly again_ms: number }
  /** A failure that another try may mend. */
  | { readonly fails: RegExp }
  /** As `fails`, after as many tries as there are. */
  | { readonly gives_up: RegExp }
  /** Nothing, until our idle watchdog closes the connection. */
  | 'silence'
  /** The server is found to be gone, though the connection stands. */
  | { readonly down: RegExp }

/** A server with a call to be answered badly. */
export interface Scene {
  readonly kit: EngineKit
  readonly server: EngineServer
  readonly call: EngineCall
  /** Calls so far, this one too. */
  readonly times: number
  /** Resolves when the test has seen enough of nothing. */
  readonly later: Promise<undefined>
}

export interface Misbehaviour {
  readonly what: string
  readonly act: (scene: Scene) => void | Promise<void>
  readonly outcome: Outcome
  /** Where it fails: how often the server is asked, once unless given. Who has begun to answer is not asked again. */
  readonly calls?: number
  /** Where it is another one. */
  readonly except?: { readonly [E in EngineKit['engine']]?: Outcome }
}

const failed = { fails: /^the engine failed \(HTTP 500\)$/ }
const broken = { fails: /^the connection to the engine broke$/ }
const unfinished = { fails: /^the engine stopped in the middle of its answer$/ }
const nonsense = { fails: /^the engine sent something that is no answer$/ }
const takesNoMore = (status: number): RegExp => new RegExp(`^the engine takes no more requests now \\(HTTP ${status}\\)$`)
const busy = (status: number): Outcome => ({ gives_up: takesNoMore(status) })

/** The answer of a kit with a character of four bytes in it, whatever its recording has. */
export const bodyWithFox = ({ answer, piece }: EngineKit): Buffer =>
  Buffer.from(
    bodyOf(answer)
      .toString()
      .replaceAll(JSON.stringify(piece), JSON.stringify(`🦊${piece}`)),
  )

/** What that says. */
export const textWithFox = ({ text, piece }: EngineKit): string => text.replaceAll(piece, `🦊${piece}`)

/** The beginning of an answer, up to the end of a message. */
export function halfOf({ answer, type }: EngineKit): Buffer {
  const body = bodyOf(answer)
  const border = type === 'text/event-stream' ? '\n\n' : '\n'
  return body.subarray(0, body.indexOf(border, body.length / 3) + border.length)
}

/** A whole answer, with a well-formed end. */
export async function whole({ kit, call }: Pick<Scene, 'kit' | 'call'>): Promise<void> {
  await call.stream([bodyWithFox(kit)], kit.type)
  await call.endBody()
}

const stream = ({ kit, call }: Scene, ...chunks: (Buffer | string)[]): Promise<void> => call.stream(chunks, kit.type)
async function body(scene: Scene, ...chunks: (Buffer | string)[]): Promise<void> {
  await stream(scene, ...chunks)
  await scene.call.endBody()
}

/** The first time it is refused, then not. */
const refusedOnce =
  (status: number, headers: Readonly<Record<string, string>> = {}): Misbehaviour['act'] =>
  (scene) =>
    scene.times === 1 ? scene.call.json(status, { error: canary }, headers) : whole(scene)

/** What servers do that is no answer, and what comes of it: twelve kinds, some of them in several ways. */
export const misbehaviours: readonly Misbehaviour[] = [
  {
    what: 'a slow first byte',
    act: async (scene) => {
      await scene.later
      await whole(scene)
    },
    outcome: 'answer',
  },
  {
    what: 'chunks cut inside a code point and inside a frame',
    act: (scene) => body(scene, ...Array.from(bodyWithFox(scene.kit), (byte) => Buffer.of(byte))),
    outcome: 'answer',
  },
  {
    what: 'comments, and everything in one chunk',
    act: (scene) => {
      const lines = bodyWithFox(scene.kit).toString().split('\n')
      return body(scene, lines.map((line) => (line === '' ? line : scene.kit.noise + line)).join('\n'))
    },
    outcome: 'answer',
  },
  { what: 'an error object under 200, first', act: (scene) => body(scene, scene.kit.error), outcome: failed },
  { what: 'an error object under 200, later', act: (scene) => body(scene, halfOf(scene.kit), scene.kit.error), outcome: failed },
  {
    what: 'an end of file without the marker, the body cut',
    act: async (scene) => {
      await stream(scene, halfOf(scene.kit))
      scene.call.end()
    },
    outcome: broken,
  },
  {
    what: 'an end of file without the marker, the body well-formed',
    act: (scene) => body(scene, halfOf(scene.kit)),
    outcome: unfinished,
    // The end of the body is all that it has for a marker.
    except: { triton: 'half an answer' },
  },
  { what: '429 with Retry-After', act: refusedOnce(429, { 'Retry-After': '7' }), outcome: { again_ms: 7000 } },
  { what: '429 that asks for an hour', act: refusedOnce(429, { 'Retry-After': '3600' }), outcome: { fails: takesNoMore(429) } },
  { what: '429 without Retry-After', act: refusedOnce(429), outcome: { again_ms: 500 } },
  { what: '429 again and again', act: ({ call }) => call.json(429, canary), outcome: busy(429) },
  { what: '503 with Retry-After', act: refusedOnce(503, { 'Retry-After': '3' }), outcome: { again_ms: 3000 } },
  { what: '503 without Retry-After', act: refusedOnce(503), outcome: { again_ms: 500 } },
  { what: '503 again and again', act: ({ call }) => call.json(503, { error: { message: canary, code: 503 } }), outcome: busy(503) },
  { what: 'a reset before the answer', act: ({ call }) => call.reset(), outcome: broken, calls: 2 },
  {
    what: 'a reset in the middle',
    act: async (scene) => {
      await stream(scene, halfOf(scene.kit))
      scene.call.reset()
    },
    outcome: broken,
  },
  { what: 'a hang before the head', act: () => undefined, outcome: 'silence' },
  { what: 'a hang in the middle', act: (scene) => stream(scene, halfOf(scene.kit)), outcome: 'silence' },
  {
    what: 'silence after SIGTERM',
    act: async (scene) => {
      await stream(scene, halfOf(scene.kit))
      scene.server.deaf()
    },
    outcome: {
      down: /^the engine (cannot be reached \(ECONNREFUSED\)|did not answer within 5000 ms)$|^the connection to the engine broke$/,
    },
  },
  {
    what: '[DONE] after an error',
    act: (scene) => body(scene, halfOf(scene.kit), scene.kit.error, scene.kit.ending),
    outcome: failed,
  },
  {
    what: 'text that is no message, in a well-formed body',
    act: (scene) => body(scene, halfOf(scene.kit), `proxy error: ${canary}\n`),
    outcome: nonsense,
  },
]

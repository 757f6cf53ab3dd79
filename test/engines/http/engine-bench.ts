import assert from 'node:assert/strict'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { EngineError, type Engine, type GenerateRequest, type GenerateResult } from '../../../src/ports/engine.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import type { EngineServer } from './engine-server.ts'

/** What a server might write that has to stay inside: a secret, a host, a path. */
export const canary = 'canary sk-canary at http://canary.internal:9000 from /srv/canary/model.gguf'

/** What is specific of an engine in the suite. */
export interface EngineKit {
  readonly engine: 'llamacpp' | 'vllm' | 'sglang' | 'tgi' | 'triton' | 'ollama' | 'openai'
  readonly workload: 'prompts' | 'chats'
  /** The pool in a configuration, beside its URL. */
  readonly pool: Readonly<Record<string, unknown>>
  create(server: { readonly url: string; readonly api_key: string }, clock: Clock): Engine
  /** Answers all that a start asks. */
  welcome(server: EngineServer): void
  /** The call of a generation. */
  readonly route: string
  readonly type: string
  readonly request: Partial<GenerateRequest>
  /** A whole answer as it came, and what it says. */
  readonly answer: Buffer
  readonly text: string
  /** A piece of the text that is a message of its own; a fox is put before it. */
  readonly piece: string
  /** It has no end mark but the end of the body. */
  readonly endsWithBody?: true
  readonly result: Partial<GenerateResult>
  /** A message that is no part of an answer and has to be ignored. */
  readonly noise: string
  /** A message of an error inside a stream; it holds the canary. */
  readonly error: string
  /** A message as at the end of an answer that is whole. */
  readonly ending: string
}

export const request = (fields: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prompt: { messages: [{ role: 'user', content: 'Count to 3.' }] },
  max_tokens: 20,
  seed: 1,
  sampling: {},
  chat: {},
  kv: 'cold',
  session: 's',
  ...fields,
})

/** The key that the server wants. */
export const serverKey = 'key-of-the-server'

/** An engine that is up, its server, and one run at a time. */
export class Bench {
  readonly clock = new FakeClock()
  readonly server: EngineServer
  readonly engine: Engine
  readonly downs: Error[] = []
  readonly parts: Part[] = []
  private readonly kit: EngineKit

  constructor(kit: EngineKit, server: EngineServer) {
    this.kit = kit
    this.server = server
    kit.welcome(server)
    this.engine = kit.create({ url: server.url, api_key: serverKey }, this.clock)
  }

  start(): Promise<unknown> {
    return this.engine.start((reason) => this.downs.push(reason))
  }

  run(signal = new AbortController().signal): Promise<GenerateResult> {
    return this.engine.generate(request(this.kit.request), (part) => void this.parts.push(part), signal)
  }

  get text(): string {
    return this.parts.map(({ text }) => text).join('')
  }

  /** Every attempt of the run fails in this way, and nothing of what the server wrote or of where it is gets out. */
  async fails(run: Promise<GenerateResult>, retriable: boolean, message: RegExp): Promise<void> {
    const error = await run.then(
      () => assert.fail('it ended well'),
      (error: unknown) => error,
    )
    assert.ok(error instanceof EngineError, String(error))
    assert.match(error.message, message)
    assert.equal(error.retriable, retriable)
    for (const told of [error, ...this.downs])
      assert.doesNotMatch(told.message, new RegExp(`canary|${serverKey}|127\\.0\\.0\\.1|${this.server.port}`))
    assert.doesNotMatch(String(error.cause), new RegExp(serverKey))
  }
}

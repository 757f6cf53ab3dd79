import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import { type Engine, EngineError, type GenerateRequest } from '../../src/ports/engine.ts'
import { childrenOf } from '../harness/children.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tinytales = join(root, 'models/tinytales.gguf')
const never = new AbortController().signal
const request: GenerateRequest = {
  prompt: { messages: [{ role: 'user', content: 'Tell me a story about a fox.' }] },
  max_tokens: 200,
  seed: 7,
  sampling: {},
  chat: {},
  kv: 'cold',
  session: 's',
}

const newEngine = (model_path = tinytales, create = createLlamaCppEngine): Engine =>
  create({ model_path, ctx: 256, slots: 2, threads: 1, gpu: false, temperature: 0.7, onOutput: () => undefined })

const engineError =
  (pattern: RegExp, retriable: boolean) =>
  (error: unknown): boolean => {
    // By name: one test runs a copy of the engine with a class of its own.
    assert.ok(error instanceof Error && error.name === 'EngineError' && 'retriable' in error)
    assert.match(error.message, pattern)
    assert.equal(error.retriable, retriable)
    return true
  }

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('llama.cpp engine: life', function () {
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orchd-llamacpp-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('survives a crash: calls under way reject, onDown comes once, a new start works', async () => {
    const engine = newEngine()
    const downs: Error[] = []
    const down = Promise.withResolvers<undefined>()
    const onDown = (reason: Error): void => {
      downs.push(reason)
      down.resolve(undefined)
    }
    const [child] = await childrenOf(() => engine.start(onDown))
    const killAt = (pieces: number): (() => void) => {
      let seen = 0
      return () => {
        if (++seen === pieces) child?.kill('SIGKILL')
      }
    }
    const abort = new AbortController()
    await Promise.all([
      assert.rejects(
        engine.generate({ ...request, seed: 1 }, () => abort.abort(new Error('enough')), abort.signal),
        /enough/,
      ),
      assert.rejects(engine.generate(request, killAt(5), never), engineError(/SIGKILL/, true)),
    ])
    await down.promise
    await assert.rejects(engine.countTokens(request.prompt, never), engineError(/not running/, true))
    await engine.start(onDown)
    assert.equal(await engine.countTokens(request.prompt, never), 13)
    await engine.stop()
    assert.deepEqual(
      downs.map(({ message }) => message),
      ['the llama.cpp process ended with SIGKILL'],
    )
  })

  it('stops: calls under way reject, the process is gone, no onDown', async () => {
    const engine = newEngine()
    const [child] = await childrenOf(() => engine.start(() => assert.fail('onDown')))
    assert.ok(isAlive(child?.pid))
    const running = assert.rejects(
      engine.generate(request, () => undefined, never),
      engineError(/stopped/, true),
    )
    await Promise.all([engine.stop(), engine.stop(), running])
    assert.ok(!isAlive(child?.pid))
    assert.equal(child?.exitCode, 0)
    await engine.stop()
  })

  it('kills a child that hangs', async function () {
    if (process.platform === 'win32') this.skip()
    const engine = newEngine()
    const [child] = await childrenOf(() => engine.start(() => assert.fail('onDown')))
    child?.kill('SIGSTOP')
    await engine.stop()
    assert.equal(child?.signalCode, 'SIGKILL')
  })

  it('can be stopped while it starts, and refuses a second start', async () => {
    const engine = newEngine()
    const starting = assert.rejects(
      engine.start(() => assert.fail('onDown')),
      engineError(/stopped/, true),
    )
    await assert.rejects(
      engine.start(() => undefined),
      /already started/,
    )
    await engine.stop()
    await starting
    await engine.start(() => assert.fail('onDown'))
    await engine.stop()
  })

  it('ends with its parent, and not with signals to the group', async () => {
    const engine = newEngine()
    const down = Promise.withResolvers<Error>()
    const [child] = await childrenOf(() => engine.start(down.resolve))
    child?.kill('SIGINT')
    child?.kill('SIGTERM')
    assert.equal(await engine.countTokens(request.prompt, never), 13)
    child?.disconnect()
    assert.match((await down.promise).message, /SIGKILL/)
  })

  it('says which file does not load and why', async () => {
    const bytes = await readFile(tinytales)
    const claims = (at: number, value: bigint): Buffer => {
      const claiming = Buffer.from(bytes)
      claiming.writeBigUInt64LE(value, at)
      return claiming
    }
    const files: [name: string, content: Buffer | undefined, why: RegExp][] = [
      ['tensors.gguf', claims(8, 2n ** 62n), /corrupt \(its header claims 4611686018427387904 tensors/],
      ['entries.gguf', claims(16, 2n ** 40n), /corrupt \(its header claims 1099511627776 entries/],
      ['key.gguf', claims(24, 2n ** 63n), /corrupt \(its header claims 9223372036854775808 bytes of a key/],
      ['missing.gguf', undefined, /not found/],
      ['text.gguf', Buffer.from('This is no model at all, just some text.'), /not a GGUF/],
      ['short.gguf', bytes.subarray(0, 10), /corrupt/],
      ['half-header.gguf', bytes.subarray(0, 5000), /corrupt/],
      ['half.gguf', bytes.subarray(0, bytes.length / 2), /corrupt/],
    ]
    for (const [name, content, why] of files) {
      const path = join(folder, name)
      if (content !== undefined) await writeFile(path, content)
      const engine = newEngine(path)
      const children = await childrenOf(() =>
        assert.rejects(
          engine.start(() => assert.fail('onDown')),
          (error: unknown) => {
            engineError(why, false)(error)
            assert.ok(error instanceof EngineError && error.message.includes(name) && !error.message.includes(folder))
            return true
          },
        ),
      )
      assert.ok(children.every(({ pid }) => !isAlive(pid)))
    }
    const directory = newEngine(folder)
    await assert.rejects(
      directory.start(() => undefined),
      engineError(/not a regular file/, false),
    )
  })

  it('is down with the reason where its model file is overwritten in place, and a new start loads what is there', async () => {
    const path = join(folder, 'overwritten.gguf')
    await cp(tinytales, path)
    const engine = newEngine(path)
    const down = Promise.withResolvers<Error>()
    await engine.start(down.resolve)
    await writeFile(path, await readFile(tinytales))
    assert.match((await down.promise).message, /overwritten\.gguf was changed while it was served/)
    await engine.start(() => assert.fail('onDown'))
    assert.equal(await engine.countTokens(request.prompt, never), 13)
    await engine.stop()
  })

  it('says what to install when node-llama-cpp is missing', async () => {
    const copies = ['src/adapters/engines/llamacpp', 'src/adapters/engines/process', 'src/domain', 'src/ports']
    for (const path of [...copies, 'package.json']) await cp(join(root, path), join(folder, 'copy', path), { recursive: true })
    const url = pathToFileURL(join(folder, 'copy/src/adapters/engines/llamacpp/engine.ts')).href
    const copy = (await import(url)) as { createLlamaCppEngine: typeof createLlamaCppEngine }
    const engine = newEngine(tinytales, copy.createLlamaCppEngine)
    await assert.rejects(
      engine.start(() => assert.fail('onDown')),
      engineError(/npm install node-llama-cpp/, false),
    )
  })

  it('hands no settings of ours to the child', async function () {
    if (process.platform !== 'linux') this.skip()
    const engine = newEngine()
    process.env['ORCHD_API_KEYS'] = 'agents:sesame'
    const [child] = await childrenOf(() => engine.start(() => assert.fail('onDown')))
    delete process.env['ORCHD_API_KEYS']
    const environ = await readFile(`/proc/${String(child?.pid)}/environ`, 'latin1')
    assert.match(environ, /NODE_CHANNEL_FD/)
    assert.doesNotMatch(environ, /ORCHD|sesame/)
    await engine.stop()
  })
})

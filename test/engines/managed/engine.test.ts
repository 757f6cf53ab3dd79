import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import type { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { ManagedEngine, type ManagedEngineParts } from '../../../src/adapters/engines/http/managed/engine.ts'
import { newGate } from '../../harness/gate.ts'
import { until } from '../../harness/wait.ts'

/** A program that does nothing until it is told to end. */
const idle = [process.execPath, '-e', 'setInterval(() => undefined, 1_000_000)']

describe('the life of a managed engine', () => {
  let engine: ManagedEngine | undefined
  let downs: Error[]
  let stops: number
  let ports: number[]
  let tell: (reason: Error) => void
  beforeEach(() => {
    downs = []
    stops = 0
    ports = []
  })
  afterEach(() => engine?.stop())

  const made = (
    parts: Partial<ManagedEngineParts> = {},
    start: (port: number) => Promise<object> = () => Promise.resolve({}),
  ): ManagedEngine =>
    (engine = new ManagedEngine({
      command: () => Promise.resolve({ argv: idle, env: {}, stop_ms: 0 }),
      engineAt: (port) => {
        ports.push(port)
        const stub = {
          start: (onDown: (reason: Error) => void) => {
            tell = onDown
            return start(port)
          },
          stop: () => {
            stops++
            return Promise.resolve()
          },
        }
        return stub as unknown as HttpEngine
      },
      alone: false,
      onOutput: () => undefined,
      ...parts,
    }))
  const started = (of: ManagedEngine): Promise<unknown> => of.start((reason) => downs.push(reason))

  it('is told to be down once, and not any more once it is stopped', async () => {
    await started(made())
    for (const why of ['first', 'second']) tell(new Error(why))
    assert.equal(String(downs), 'Error: first')
    await engine?.stop()
    await started(made())
    await engine?.stop()
    tell(new Error('late'))
    assert.equal(downs.length, 1)
  })

  it('has its calls ended when its process does', async () => {
    await started(made({ command: () => Promise.resolve({ argv: ['true'], env: {}, stop_ms: 0 }) }))
    await until(() => downs.length === 1 && stops === 1, 'the end of the process to be noticed')
    assert.match(String(downs), /the process of the engine ended with code 0/)
  })

  it('is tried on another port where somebody took the one it had, three times in all, and once on its own', async () => {
    const servers: Server[] = []
    const taken = async (port: number): Promise<never> => {
      const server = createServer()
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      throw new Error('somebody else answers')
    }
    try {
      await assert.rejects(started(made({}, taken)), /somebody else answers/)
      assert.equal(new Set(ports).size, 3)
      const [port = 0] = ports
      for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
      ports = []
      await assert.rejects(started(made({ port }, taken)), /somebody else answers/)
      assert.deepEqual(ports, [port])
    } finally {
      for (const server of servers) server.close()
    }
  })

  it('starts nothing where it is stopped before its command is there', async () => {
    const ready = newGate()
    const starting = started(
      made({
        command: async () => {
          await ready.promise
          return { argv: idle, env: {}, stop_ms: 0 }
        },
      }),
    )
    const refused = assert.rejects(starting, /the engine is not up/)
    await engine?.stop()
    ready.resolve()
    await refused
    assert.deepEqual(ports, [])
  })
})

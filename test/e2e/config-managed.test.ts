import assert from 'node:assert/strict'
import { ConfigDir } from './config.kit.ts'

describe('a pool whose servers the daemon starts', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  const box = { id: 'box', engine: 'llamacpp', command: ['llama-server', '--port', '{port}'] }

  it('is whole with an id, an engine and a command', () => {
    const [pool] = dir.load({ pools: [box] }).pools
    assert.ok(pool?.engine === 'llamacpp' && pool.driver === 'managed')
    assert.deepEqual([pool.model, pool.ctx, pool.replayable, pool.env, pool.stop_ms], ['served:box', undefined, 'probe', [], 5000])
  })

  it('may be any engine that is a server', () => {
    for (const engine of ['vllm', 'sglang', 'tgi', 'triton', 'ollama', 'openai'])
      assert.equal(dir.load({ pools: [{ ...box, engine }] }).pools.length, 1)
  })

  it('is refused where its command names what is not there, or leaves out what the server has to be told', () => {
    const at = (...args: string[]): { command: string[] } => ({ command: ['x', '{port}', ...args] })
    const lines = dir.refusalAnywhere({
      pools: [
        { ...box, ...at('{prot}', '{nonsense}') },
        { ...box, id: 'b', ...at('{ctx}', '{devices}', '{model}', '{model_path}') },
        { ...box, id: 'c', model: 'catalog:m' },
        { ...box, id: 'd', command: ['x'], replicas: [{ id: 'r0', port: 8001 }, { id: 'r1' }] },
        { ...box, id: 'e', command: [] },
        { ...box, id: 'f', env: ['ORCHD_API_KEYS'] },
        { ...box, id: 'g', replicas: [{ id: 'r0', url: 'http://127.0.0.1:1' }] },
        { ...box, id: 'h', command: undefined, driver: 'managed', model: 'served:h' },
        { ...box, id: 'i', ...at('{ctx_total}') },
      ],
    })
    assert.deepEqual(lines, [
      'FILE: pools[0].command: names {prot}, which is not known here; did you mean port?',
      'FILE: pools[0].command: names {nonsense}, which is not known here; known are port, model_path, model, devices, ctx, slots, ctx_total, replica',
      'FILE: pools[1].command: has {model_path}, for which model has to begin with file: or catalog:',
      'FILE: pools[1].command: has {model}, for which model has to name one',
      'FILE: pools[1].command: has {ctx}, for which the pool needs ctx',
      'FILE: pools[1].command: has {devices}, for which replica r0 needs devices',
      'FILE: pools[2].command: has no {model_path}, so that the server would not be told of "catalog:m"',
      'FILE: pools[3].command: has no {port}, and replica r1 has no port of its own',
      'FILE: pools[4].command: needs at least 1 of what it lists',
      'FILE: pools[5].env[0]: "ORCHD_API_KEYS" must match ^(?!ORCHD_)[A-Za-z_][A-Za-z0-9_]{0,127}$, as HF_TOKEN does',
      'FILE: pools[6].replicas[0].url: driver managed of llamacpp takes none',
      'FILE: pools[7].command: is missing',
      'FILE: pools[8].command: has {ctx}, for which the pool needs ctx',
    ])
  })

  it('is refused with a port that another one has, and any other pool with a port at all', () => {
    const ports = (...ports: number[]): object => ({ replicas: ports.map((port, i) => ({ id: `r${i}`, port })) })
    const lines = dir.refusalAnywhere({
      pools: [
        { ...box, ...ports(8001, 8002) },
        { ...box, id: 'b', ...ports(8003, 8002) },
        { id: 'c', engine: 'openai', url: 'http://127.0.0.1:1', ...ports(8004) },
      ],
    })
    assert.deepEqual(lines, [
      'FILE: pools[1].replicas[1].port: 8002 is that of box/r1, too',
      'FILE: pools[2].replicas[0].port: driver external of openai takes none',
    ])
  })
})

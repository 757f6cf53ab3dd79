import assert from 'node:assert/strict'
import { checkConfig, enginesIn, foundPools, type FoundEngine } from '../../src/config/config.ts'

const found = (url: string, engine: string, models: string[], model?: string): FoundEngine => ({
  ...{ source: '--engine', url, engine, models },
  ...(model === undefined ? {} : { model }),
})
const box = 'http://127.0.0.1:8081'
const rack = 'http://127.0.0.1:8082'

describe('pools of engines that were found', () => {
  const poolsOf = (...servers: FoundEngine[]): unknown => foundPools(servers).value

  it('take their ids from the names of the models', () => {
    const names = ['/models/Qwen3-8B-Q4_K_M.gguf', 'org/My Model', 'tinytales:latest', '???', 'qwen3-8b-q4_k_m']
    const ids = ['qwen3-8b-q4_k_m', 'my-model', 'tinytales', 'engine', 'qwen3-8b-q4_k_m-2']
    const { value } = foundPools(names.map((name, i) => found(`http://127.0.0.1:${i + 1}`, 'openai', [name])))
    assert.deepEqual(
      (value as { id: string }[]).map(({ id }) => id),
      ids,
    )
    assert.equal(checkConfig({ pools: value }).pools.length, names.length)
    const long = ['a', 'b'].map((end) => found(box, 'openai', ['x'.repeat(100) + end]))
    assert.equal(checkConfig({ pools: foundPools(long).value }).pools.length, 2)
  })

  it('have a replica for each server of one kind and model', () => {
    assert.deepEqual(poolsOf(found(box, 'vllm', ['m']), found(rack, 'vllm', ['m']), found('http://127.0.0.1:3', 'tgi', ['m'])), [
      {
        ...{ id: 'm', engine: 'vllm', model: 'vllm:m' },
        replicas: [
          { id: 'r0', url: box },
          { id: 'r1', url: rack },
        ],
      },
      { id: 'm-2', engine: 'tgi', model: 'tgi:m', replicas: [{ id: 'r0', url: 'http://127.0.0.1:3' }] },
    ])
  })

  it('serve the model that is named, with or without its tag', () => {
    assert.deepEqual(poolsOf(found(box, 'ollama', ['a:latest', 'b:7b'], 'a'), found(box, 'ollama', ['a:latest', 'b:7b'], 'b:7b')), [
      { id: 'a', engine: 'ollama', model: 'ollama:a', replicas: [{ id: 'r0', url: box }] },
      { id: 'b-7b', engine: 'ollama', model: 'ollama:b:7b', replicas: [{ id: 'r0', url: box }] },
    ])
  })

  it('are refused where the model is not clear, all at once', () => {
    const servers = [
      found(box, 'ollama', ['a', 'b']),
      found(box, 'ollama', ['a', 'b'], 'c'),
      found(rack, 'triton', []),
      found(rack, 'vllm', ['m']),
      found(rack, 'vllm', ['m']),
    ]
    assert.throws(() => foundPools(servers), {
      name: 'ConfigError',
      message: [
        `--engine ${box}: it serves a, b: say which, as ${box}#a does`,
        `--engine ${box}#c: it serves a, b, not c`,
        `--engine ${rack}: it serves no model`,
        `--engine ${rack}: is given twice`,
      ].join('\n'),
    })
  })

  it('are named by the environment, divided by commas', () => {
    assert.deepEqual(enginesIn({ ORCHD_ENGINES: ` ${box}, ${rack}#m ,` }), [
      { source: 'ORCHD_ENGINES', url: box },
      { source: 'ORCHD_ENGINES', url: rack, model: 'm' },
    ])
    assert.deepEqual(enginesIn({}), [])
  })
})

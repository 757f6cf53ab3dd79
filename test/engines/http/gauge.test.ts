import assert from 'node:assert/strict'
import { gaugeIn } from '../../../src/adapters/engines/http/gauge.ts'

describe('a gauge of an engine', () => {
  const text = [
    '# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.',
    '# TYPE vllm:kv_cache_usage_perc gauge',
    'vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25',
    'vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75',
    'vllm:kv_cache_usage_perc_other 9',
    'vllm:bare 5e-1',
    'vllm:none NaN',
    '',
  ].join('\n')

  it('is the mean of its engines', () => {
    assert.equal(gaugeIn(text, 'vllm:kv_cache_usage_perc'), 0.5)
    assert.equal(gaugeIn(text, 'vllm:bare'), 0.5)
  })

  it('is none where nothing is told', () => {
    assert.equal(gaugeIn(text, 'vllm:kv_cache'), undefined)
    assert.equal(gaugeIn(text, 'vllm:none'), undefined)
  })

  it('is what a version calls it', () => {
    assert.equal(gaugeIn(text, 'vllm:newer', 'vllm:bare'), 0.5)
    assert.equal(gaugeIn(text, 'vllm:none', 'vllm:bare'), 0.5)
  })
})

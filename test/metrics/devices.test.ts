import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseExposition, type Sample } from '../../scripts/metrics/exposition.ts'
import { createPrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { createNvidiaSmi, parseNvidiaSmi } from '../../src/adapters/system/nvidia-smi.ts'
import type { DeviceReading } from '../../src/ports/device-probe.ts'
import { strictEvents } from '../harness/events.ts'
import { logLines } from '../../src/services/telemetry/log-lines.ts'
import type { LogFields } from '../../src/ports/telemetry.ts'
import { Devices } from '../../src/services/pools/devices.ts'
import type { Pools } from '../../src/services/pools/pools.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const mib = 1024 * 1024
const recorded: (DeviceReading & { readonly bus_id: string })[] = [
  {
    index: 0,
    bus_id: '00000000:01:00.0',
    name: 'NVIDIA GeForce RTX 4090',
    utilization: 0.31,
    used_bytes: 18307 * mib,
    free_bytes: 6257 * mib,
  },
  {
    index: 1,
    bus_id: '00000000:41:00.0',
    name: 'NVIDIA GeForce RTX 4090',
    utilization: 0.2,
    used_bytes: 19534 * mib,
    free_bytes: 5030 * mib,
  },
  { index: 2, bus_id: '00000000:81:00.0', name: 'NVIDIA RTX A5000', used_bytes: 4812 * mib, free_bytes: 19752 * mib },
  { index: 3, bus_id: '00000000:C1:00.0', utilization: 0 },
]

describe("NVIDIA's command-line tool", () => {
  it('is understood, with what a device does not tell left out', () => {
    const text = readFileSync(fixture('nvidia-smi.csv'), 'utf8')
    assert.deepEqual(parseNvidiaSmi(text), recorded)
    assert.deepEqual(parseNvidiaSmi(text.replaceAll('\n', '\r\n')), recorded)
    for (const name of ['', '[N/A]', '[Unknown Error]', 'ERR!'])
      assert.equal(parseNvidiaSmi(`7, B, 1, 12, 3, ${name}\n`)[0]?.name, undefined, name)
    for (const nothing of ['[Not Supported]', '[Unknown Error]', 'N/A'])
      assert.deepEqual(parseNvidiaSmi(`7, B, ${nothing}, 12, ${nothing}\n`), [{ index: 7, bus_id: 'B', used_bytes: 12 * mib }])
  })

  it('is not believed where a line is about no device', () => {
    for (const line of [
      'No devices were found',
      '',
      'index, pci.bus_id, utilization.gpu [%], memory.used [MiB], memory.free [MiB], name',
      'Unable to determine the device handle for GPU0: 0000:01:00.0: Unknown Error',
      '0, B, 1, 2',
      '0, B, 1, 2, 3, name, more',
      '-1, B, 1, 2, 3',
    ])
      assert.deepEqual(parseNvidiaSmi(`${line}\n`), [], line)
  })

  it('is run without a shell', async () => {
    assert.deepEqual(await createNvidiaSmi(fixture('nvidia-smi')).read(), recorded)
    await assert.rejects(createNvidiaSmi(`${fixture('nvidia-smi')}; true`).read(), /there is no such command/)
    await assert.rejects(createNvidiaSmi('/nonexistent/nvidia-smi').read(), /there is no such command/)
    await assert.rejects(createNvidiaSmi('false').read(), /false: /)
  })
})

/** The service over a probe and replicas that the test rules. */
function world(devices: readonly number[] = [0, 2]) {
  const state = {
    read: (): Promise<readonly DeviceReading[]> => Promise.resolve(recorded),
    reads: 0,
    kv: undefined as number | undefined,
    version: 'v1',
  }
  const lines: LogFields[] = []
  const record = (fields: LogFields): void => void lines.push(fields)
  const events = strictEvents()
  events.listen(logLines({ info: record, warn: record, error: record }))
  const replica = { id: 'r0', devices, state: 'ready', engine: { kvUsage: () => state.kv }, setTrouble: () => undefined }
  const pools = {
    all: () => [{ labels: { engine: 'mock', engine_version: state.version, pool_id: 'p' }, replicas: [replica], config: { replicas: [] } }],
  } as unknown as Pick<Pools, 'all'>
  const probe = { read: () => (state.reads++, state.read()) }
  const clock = new FakeClock()
  const metrics = createPrometheusMetrics(false)
  const stop = new Devices({ probe, pools, clock, metrics, events }).start(5000)
  const samples = async (name: string): Promise<readonly Sample[]> => {
    await settled()
    return parseExposition(await metrics.scrape()).get(name)?.samples ?? []
  }
  return { state, lines, clock, stop, replica, samples }
}

describe('the watch over devices', () => {
  it('reports at once and every period what the replicas name', async () => {
    const { state, clock, stop, samples } = world()
    const labels = { engine: 'mock', engine_version: 'v1', pool_id: 'p', replica_id: 'r0' }
    assert.deepEqual(await samples('gpu_utilization'), [{ name: 'gpu_utilization', labels: { ...labels, device: '0' }, value: 0.31 }])
    assert.deepEqual(
      (await samples('vram_used_bytes')).map(({ labels: { device }, value }) => [device, value]),
      [
        ['0', 18307 * mib],
        ['2', 4812 * mib],
      ],
    )
    assert.equal(state.reads, 1)
    await clock.advance(10_000)
    assert.equal(state.reads, 3)
    stop()
    await clock.advance(10_000)
    assert.equal(state.reads, 3)
  })

  it('runs nothing where no replica names a device', async () => {
    const { state, clock } = world([])
    await clock.advance(20_000)
    assert.equal(state.reads, 0)
  })

  it('shows nothing and says so once while the devices cannot be seen', async () => {
    const { state, clock, lines, samples } = world()
    await settled()
    const works = state.read
    state.read = () => Promise.reject(new Error('nvidia-smi: there is no such command'))
    await clock.advance(20_000)
    assert.deepEqual(await samples('gpu_utilization'), [])
    assert.deepEqual(await samples('vram_used_bytes'), [])
    assert.deepEqual(
      lines.map(({ error }) => error),
      ['nvidia-smi: there is no such command'],
    )
    state.read = works
    await clock.advance(5000)
    assert.equal((await samples('gpu_utilization')).length, 1)
    assert.equal(lines.length, 2)
  })

  it('starts no second probe beside one that takes its time', async () => {
    const { state, clock } = world()
    await settled()
    state.read = () => new Promise(() => undefined)
    await clock.advance(50_000)
    assert.equal(state.reads, 2)
  })

  it('shows nothing and says so where a probe hangs, until that is over; the rest goes on', async () => {
    const { state, clock, lines, samples } = world()
    await settled()
    const works = state.read
    const hung = Promise.withResolvers<readonly DeviceReading[]>()
    state.read = () => hung.promise
    await clock.advance(15_000)
    assert.equal((await samples('gpu_utilization')).length, 1, 'the tool gives up by itself, if it can be killed')
    await clock.advance(10_000)
    state.kv = 0.5
    await clock.advance(10_000)
    assert.deepEqual([await samples('gpu_utilization'), await samples('vram_used_bytes')], [[], []])
    assert.equal((await samples('kv_cache_usage_ratio'))[0]?.value, 0.5)
    assert.deepEqual(
      lines.map(({ error }) => error),
      ['no answer for 15 s: what is asked hangs, as where a driver does'],
    )
    assert.equal(state.reads, 2)
    state.read = works
    hung.resolve(recorded)
    assert.equal((await samples('gpu_utilization')).length, 1)
    await clock.advance(5000)
    assert.deepEqual([state.reads, lines.length], [3, 2])
  })

  it('moves with the version of the engine', async () => {
    const { state, clock, samples } = world()
    await settled()
    state.version = 'v2'
    await clock.advance(5000)
    assert.deepEqual(
      (await samples('gpu_utilization')).map(({ labels }) => labels['engine_version']),
      ['v2'],
    )
  })

  it('reports the KV cache of engines that tell, while they are up', async () => {
    const { state, clock, replica, samples } = world([])
    assert.deepEqual(await samples('kv_cache_usage_ratio'), [])
    state.kv = 0.25
    await clock.advance(5000)
    assert.equal((await samples('kv_cache_usage_ratio'))[0]?.value, 0.25)
    replica.state = 'down'
    await clock.advance(5000)
    assert.deepEqual(await samples('kv_cache_usage_ratio'), [])
  })
})

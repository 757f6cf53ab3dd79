import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { createNvidiaSmi, parseNvidiaSmi } from '../../src/adapters/system/nvidia-smi.ts'
import { Devices } from '../../src/services/pools/devices.ts'
import { poolHealth } from '../../src/services/pools/pool-views.ts'
import { poolConfig, startRig } from '../harness/rig.ts'
import { untilAnswer } from '../harness/wait.ts'

const row = (index: number, ...told: string[]): string => `${index}, 00000000:0${index + 1}:00.0, ${told.join(', ')}`
const well = (index: number, free = '20000'): string => row(index, '5', '4000', free)

describe("what NVIDIA's tool says of devices in trouble", () => {
  it('is told from what it merely does not know', () => {
    for (const [word, fault] of [
      ['[GPU is lost]', 'GPU is lost'],
      ['[GPU requires reset]', 'GPU requires reset'],
      ['ERR!', 'ERR!'],
      ['[Unknown Error]', 'Unknown Error'],
    ] as const)
      assert.equal(parseNvidiaSmi(row(0, word, word, word))[0]?.fault, fault)
    assert.equal(parseNvidiaSmi(row(0, '[GPU requires reset]', '0', '97887'))[0]?.fault, 'GPU requires reset')
    for (const word of ['[Unknown Error]', '[N/A]', '[Not Supported]'])
      assert.equal(parseNvidiaSmi(row(0, word, '1', '2'))[0]?.fault, undefined)
    assert.deepEqual(
      ['0', '50', '104'].map((share) => parseNvidiaSmi(row(0, share, '1', '2'))[0]?.utilization),
      [0, 0.5, 1],
    )
    assert.equal(parseNvidiaSmi(row(0, '[N/A]', '[N/A]', '[N/A]'))[0]?.fault, undefined)
  })
})

describe('replicas on devices in trouble', () => {
  const folder = mkdtempSync(join(tmpdir(), 'smi-'))
  const tool = join(folder, 'nvidia-smi')
  after(() => rmSync(folder, { recursive: true }))

  /** What the tool prints from now on, and how it ends. */
  const prints = (lines: readonly string[], code = 0): void => {
    writeFileSync(join(folder, 'said'), lines.join('\n') + '\n')
    writeFileSync(tool, `#!/bin/sh\ncat "${folder}/said"\nexit ${code}\n`)
    chmodSync(tool, 0o755)
  }

  /** Two replicas of a pool on a device each, beside one elsewhere that names a device, too. */
  async function world() {
    prints([well(0, '20000'), well(1, '9000')])
    const replicas = [
      { id: 'r0', slots: 2, devices: [0] },
      { id: 'r1', slots: 2, devices: [1] },
    ]
    const away = { id: 'away', engine: 'openai', driver: 'external', model: 'openai:x', ctx: 8192, url: 'https://llm.example/v1' }
    const rig = await startRig({ pools: [poolConfig({ replicas }), { ...away, replicas: [{ id: 'r0', slots: 1, devices: [0] }] }] })
    const probe = createNvidiaSmi(tool)
    let looks = 0
    const read = async (): ReturnType<typeof probe.read> => {
      try {
        return await probe.read()
      } finally {
        looks++
      }
    }
    const parts = { probe: { read }, pools: rig.pools, clock: rig.clock, metrics: createPrometheusMetrics(false), events: rig.events }
    const stop = new Devices(parts).start(1000)
    const looked = (count: number): Promise<unknown> =>
      untilAnswer(
        () => Promise.resolve(looks),
        (now) => now >= count,
      )
    await looked(1)
    const states = async (lines: readonly string[], code = 0): Promise<(string | undefined)[]> => {
      prints(lines, code)
      const before = looks
      await rig.clock.advance(1000)
      await looked(before + 1)
      await rig.clock.advance(0)
      return poolHealth(rig.pool()).replicas.map(({ state, last_error }) => (state === 'ready' ? state : last_error))
    }
    return { rig, states, stop }
  }

  it('take no tasks until their device is back, and the others go on', async () => {
    const { rig, states, stop } = await world()
    for (const [lines, why] of [
      [[well(0), row(1, '[GPU is lost]', '[GPU is lost]', '[GPU is lost]')], 'device 1 cannot be used: GPU is lost'],
      [[well(0)], 'device 1 cannot be used: its driver does not list it any more'],
    ] as const) {
      assert.deepEqual(await states(lines), ['ready', why])
      assert.equal(rig.pool('away').replicas[0]?.state, 'ready', 'what runs elsewhere has other devices')
      assert.deepEqual(await states([well(0), well(1)]), ['ready', 'ready'])
    }
    stop()
  })

  it('are known by the place of the device where the tool gives up over one', async () => {
    const { states, stop } = await world()
    const lost = 'Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU'
    assert.deepEqual(await states([lost], 15), ['ready', `device 1 cannot be used: ${tool}: ${lost}`])
    const again = 'Unable to determine the device handle for GPU0: 0000:09:00.0: Unknown Error'
    assert.deepEqual(await states([again], 15), [`device 0 cannot be used: ${tool}: ${again}`, `device 1 cannot be used: ${tool}: ${lost}`])
    stop()
  })

  it('are all of them where the driver is gone; not where there is no such tool, or it is merely of another version', async () => {
    const { rig, states, stop } = await world()
    const gone = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    const why = `its devices cannot be used: ${tool}: ${gone}`
    assert.deepEqual(await states([gone], 9), [why, why])
    assert.deepEqual(
      await states(['Failed to initialize NVML: Driver/library version mismatch'], 18),
      [why, why],
      'nothing has become known',
    )
    assert.equal(rig.pool().ready, false)
    assert.deepEqual(await states([well(0), well(1)]), ['ready', 'ready'])
    assert.deepEqual(await states(['Failed to initialize NVML: Driver/library version mismatch'], 18), ['ready', 'ready'])
    stop()
  })

  it('tell their free memory, by which the next task is placed', async () => {
    const { rig, states, stop } = await world()
    await states([well(0, '4000'), well(1, '20000')])
    await rig.run({ task_id: 'a' })
    assert.equal(rig.task('a').replica_id, 'r1')
    stop()
  })
})

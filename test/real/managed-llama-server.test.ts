import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { assertWhole } from '../e2e/pools.kit.ts'
import { keys, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import { modelsDir } from '../harness/process.ts'
import { llamaServer, withEngine } from '../harness/real-engines.ts'
import { StreamClient } from '../harness/sse.ts'
import { untilAnswer } from '../harness/wait.ts'

const slots = 4
const options = [
  '--model',
  '{model_path}',
  '--port',
  '{port}',
  '--parallel',
  '{slots}',
  '--ctx-size',
  '{ctx_total}',
  '--alias',
  '{replica}',
]
const pool = {
  id: 'box',
  engine: 'llamacpp',
  model: 'file:models/tinytales.gguf',
  ctx: 256,
  command: llamaServer(...options).argv,
  replicas: [{ id: 'tales', slots }],
  timeouts: patient,
}

/** Time that has passed and nobody waited for, ms: a replica counts as steady that came up a moment ago. */
let skipped_ms = 0
const hastyClock: Clock = { ...systemClock, now: () => systemClock.now() + skipped_ms }

/** The processes that run now, by their id: parent and group, zombies left out. */
async function processes(): Promise<ReadonlyMap<number, { readonly parent: number; readonly group: number }>> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  return new Map(
    rows.flatMap(([pid, ppid, pgid, stat = '']) =>
      stat.startsWith('Z') ? [] : [[Number(pid), { parent: Number(ppid), group: Number(pgid) }] as const],
    ),
  )
}

/** @param replayable the same seed gives the same bytes, so that it is run again; else it is gone on with from the text that is out */
const suite = (replayable: boolean): void => {
  let daemon: TestDaemon
  let made = 0

  const send = (seed: number): Promise<StreamClient> => {
    const task = { task_id: `managed-${++made}`, prompt: 'Once upon a time', seed, max_tokens: 150 }
    return StreamClient.post(daemon.url, keys.all, task)
  }
  /** The server itself: what leads its group is its supervisor, which is our child. */
  const server = async (): Promise<{ readonly pid: number; readonly group: number }> => {
    const all = await processes()
    const found = [...all].filter(([, { parent, group }]) => parent === group && all.get(group)?.parent === process.pid)
    assert.equal(found.length, 1, JSON.stringify(found))
    const [pid, { group }] = found[0]!
    return { pid, group }
  }
  const transcriptOf = async ({ terminal }: StreamClient): Promise<string> => {
    const { json } = await call(daemon.url, `/v1/artifacts/${String(terminal?.data?.['artifact_id'])}`, { key: keys.all })
    return String(json['content'])
  }
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

  before(async () => {
    daemon = await startDaemon(
      { models_dir: modelsDir, pools: [{ ...pool, ...(replayable ? {} : { replayable }) }] },
      { clock: hastyClock },
    )
    await untilAnswer(
      () => call(daemon.url, '/readyz'),
      ({ status }) => status === 200,
    )
  })
  after(() => daemon.stop())

  it('serves the model of the configuration, with its context and slots', async () => {
    const { json } = await call(daemon.url, '/v1/capabilities', { key: keys.all })
    const [told] = json['engines'] as Record<string, unknown>[]
    assert.deepEqual([told?.['ctx_max'], told?.['slots'], told?.['model_ref']], [256, slots, pool.model])
    const stream = await send(1)
    await stream.closed
    assert.equal(stream.terminal?.event, 'end')
    assert.ok(stream.text.length > 100, stream.text)
  })

  it('is back each time it is killed in the middle of its streams, and every text is whole', async function () {
    this.timeout(1_800_000)
    const seeds = Array.from({ length: repeats({ quick: 6, long: 50 }) }, (_, i) => i + 1)
    const alone = new Map<number, string>()
    for (const seed of seeds) {
      const stream = await send(seed)
      await stream.closed
      alone.set(seed, stream.text)
    }
    const before = sockets()
    for (let round = 0; round < repeats({ quick: 2, long: 50 }); round++) {
      skipped_ms += 61_000
      const { pid, group } = await server()
      const streams = await Promise.all(seeds.map(send))
      await Promise.race(streams.map((stream) => stream.until(({ tokens }) => tokens.length > round % 8)))
      process.kill(pid, 'SIGKILL')
      await Promise.all(streams.map((stream) => stream.closed))
      for (const [i, stream] of streams.entries()) {
        assertWhole(stream)
        assert.equal(stream.terminal?.event, 'end', JSON.stringify(stream.terminal))
        if (replayable) assert.equal(stream.text, alone.get(seeds[i]!))
        assert.ok((await transcriptOf(stream)).includes(JSON.stringify(stream.text).slice(1, -1)), 'it equals the transcript')
      }
      assert.deepEqual(
        [...(await processes()).values()].filter((one) => one.group === group),
        [],
        'nothing of the old group is left',
      )
    }
    const [replica] = daemon.pools.get('box').replicas
    assert.deepEqual([replica?.state, replica?.busy, replica?.restarts], ['ready', 0, repeats({ quick: 2, long: 50 })])
    await untilAnswer(
      () => Promise.resolve(sockets()),
      (count) => count <= before + slots + 4,
    )
  })
}

withEngine('llama-server', 'a real llama-server that the daemon starts', () => suite(true))
withEngine('llama-server', 'a real llama-server that the daemon starts, whose answers are not the same again', () => suite(false))

import assert from 'node:assert/strict'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { assertWhole } from '../e2e/pools.kit.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'
import { modelsDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { StreamClient } from '../harness/sse.ts'
import { untilAnswer } from '../harness/wait.ts'
import { assertEnd, managedPool, storyOf, textOfTranscript } from './stories.kit.ts'
import { serversOf, untilGone } from './servers.kit.ts'

const kills = repeats({ quick: 2, long: 50 })
const streams = repeats({ quick: 6, long: 50 })
/** Some of the streams wait for their turn, the others are cut in the middle. */
const slots = repeats({ quick: 4, long: 40 })

/** Time that has passed and nobody waited for, ms: a replica counts as steady that came up a moment ago. */
let skipped_ms = 0
const hastyClock: Clock = { ...systemClock, now: () => systemClock.now() + skipped_ms }

withEngine('llama-server', `a real llama-server that the daemon starts, and that is killed ${kills} times under ${streams} streams`, () => {
  for (const replayable of [true, false])
    describe(replayable ? 'whose answers are the same again' : 'whose answers are gone on with', () => {
      let daemon: TestDaemon
      let made = 0

      const send = (n: number): Promise<StreamClient> => StreamClient.post(daemon.url, keys.all, storyOf(n, `managed-${++made}`))

      before(async () => {
        daemon = await startDaemon({ models_dir: modelsDir, pools: [managedPool({ id: 'box', slots, replayable })] }, { clock: hastyClock })
        await untilAnswer(
          () => call(daemon.url, '/readyz'),
          ({ status }) => status === 200,
        )
      })
      after(() => daemon.stop())

      it('serves the model of the configuration, with its context and slots', async () => {
        const { json } = await call(daemon.url, '/v1/capabilities', { key: keys.all })
        const [told] = json['engines'] as { ctx_max: number; slots: number; model_ref: string; features: string[] }[]
        assert.deepEqual([told?.ctx_max, told?.slots, told?.model_ref], [256, slots, 'file:models/tinytales.gguf'])
        assert.deepEqual([told?.features.includes('replayable'), told?.features.includes('continues')], [replayable, true])
      })

      it('is back each time, and every text is whole', async function () {
        this.timeout(1_800_000)
        const alone: string[] = []
        for (let n = 0; n < streams; n++) {
          const stream = await send(n)
          await stream.closed
          alone.push(stream.text)
        }
        let [round, cutting] = [0, 0]
        // A kill counts where it has cut at least one answer in the middle: a busy machine may see a whole one at once.
        for (; cutting < kills; round++) {
          assert.ok(round < 4 * kills, `only ${cutting} kills have cut an answer`)
          skipped_ms += 61_000
          const [server, ...others] = await serversOf(process.pid)
          assert.ok(server !== undefined && others.length === 0)
          const readers = await Promise.all(alone.map((_, n) => send(n)))
          await Promise.race(readers.map((reader) => reader.until(({ tokens }) => tokens.length > round % 8)))
          process.kill(server.pid, 'SIGKILL')
          if (readers.some(({ tokens, terminal }) => tokens.length > 0 && terminal === undefined)) cutting++
          await Promise.all(readers.map(({ closed }) => closed))
          for (const [n, reader] of readers.entries()) {
            assertWhole(reader)
            assertEnd(reader)
            if (replayable) assert.equal(reader.text, alone[n])
            assert.equal(await textOfTranscript(daemon.url, keys.all, reader), reader.text)
          }
          await untilGone(server)
        }
        const [replica] = daemon.pools.get('box').replicas
        assert.deepEqual([replica?.state, replica?.busy, replica?.restarts], ['ready', 0, round])
      })
    })
})

import assert from 'node:assert/strict'
import { clientOf } from '../../sdk/src/client.ts'
import type { TaskEvent } from '../../sdk/src/index.ts'
import { Lives } from '../e2e/crash.kit.ts'
import { mockPool } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'
import { CuttingProxy } from './cutting-proxy.ts'
import { collected } from './scripted.ts'

const pace = { prefill_ms: 0, token_ms: 15, tokens: 40 }
const config = {
  pools: [mockPool({ mock: pace }), mockPool({ id: 'going', model: 'mock:going', mock: { ...pace, replayable: false } })],
}

/** Waits for nobody: what is away is waited for by the proxy. */
const timing = { now: () => 0, random: () => 0, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }

const parts = (events: readonly TaskEvent[]): unknown[] =>
  events.flatMap((event) => (event.event === 'token' || event.event === 'reasoning' ? [[event.event, event.id, event.data]] : []))
const textOf = (events: readonly TaskEvent[]): string => events.map((event) => (event.event === 'token' ? event.data.t : '')).join('')

describe('a run whose connection is cut at every frame, while the daemon is killed twice', () => {
  for (const [model_ref, what, remainder] of [
    ['mock:v1', 'an engine that says the same again', 0],
    ['mock:going', 'an engine that goes on from the text so far', 9],
  ] as const)
    it(`yields the uninterrupted text: ${what}, ${remainder} bytes of the next frame`, async () => {
      const dir = temporaryDir()
      const lives = new Lives(dir.path, config)
      await lives.begin()
      const request = { model_ref, prompt: 'Tell me a story.', seed: 11, max_tokens: 40 }
      const direct = clientOf({ baseUrl: await lives.url, key: 'valid' }, timing)
      const undisturbed = await collected(direct.tasks.run(request))
      let frames = 0
      const proxy = await CuttingProxy.start({
        target: () => lives.url,
        remainder,
        onFrame: async () => {
          frames++
          if (frames !== 5 && frames !== 15) return
          await lives.end('SIGKILL')
          await lives.begin()
        },
      })
      const { tasks } = clientOf({ baseUrl: proxy.url, key: 'valid' }, timing)
      const events = await collected(tasks.run({ ...request, task_id: 'cut' }))
      await proxy.stop()
      await lives.end('SIGTERM')
      dir.remove()
      assert.deepEqual(parts(events), parts(undisturbed))
      assert.equal(textOf(events), textOf(undisturbed))
      assert.equal(lives.count, 3)
      // Each frame with an id was followed by a cut, the last one apart.
      assert.equal(proxy.cuts, parts(events).length + 1)
      assert.deepEqual([events[0]?.event, events.at(-1)?.event], ['started', 'end'])
    })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Part } from '../../../src/domain/stream/part.ts'
import { settled } from '../../harness/fake-clock.ts'
import { startRig, type Rig } from '../../harness/rig.ts'
import { mixedParts, partsOf, recut, sizes, textOfParts } from '../../domain/stream/parts.kit.ts'

const props = { replayable: false, features: ['tools', 'reasoning', 'continues'] } as const
const max_tokens = 500

const failures = fc.array(fc.record({ after: fc.nat(12), restart: fc.boolean(), sizes }), { maxLength: 2 })
const onlyText = (parts: readonly Part[]): Part[] => parts.filter(({ kind }) => kind === 'text')

describe('an answer over several runs', () => {
  it('is one answer, no part twice and none missing, or ends honestly, wherever its engine or the daemon fails', async () => {
    const answers = fc.oneof(
      mixedParts(20).map((parts) => parts.filter(({ kind }) => kind !== 'tool_call')),
      mixedParts(20),
    )
    await fc.assert(
      fc.asyncProperty(answers, failures, async (answer, plan) => {
        let rig: Rig = await startRig({ props })
        await rig.run({ task_id: 't', max_tokens })
        let out: Part[] = []
        let rest: readonly Part[] = answer
        let reset = false
        for (const { after, restart, sizes } of plan) {
          const pieces = out.length === 0 ? [...answer] : recut(onlyText(rest), sizes)
          for (const part of pieces.slice(0, after)) rig.engine().call.give(part)
          await settled()
          out = [...out, ...pieces.slice(0, after)]
          const text = textOfParts(onlyText(out))
          rest = [{ kind: 'text', text: textOfParts(onlyText(answer)).slice(text.length) }]
          if (restart) rig = await startRig({ props, storage: rig.storage, clock: rig.clock })
          else rig.engine().call.fail()
          await settled()
          reset = out.some(({ kind }) => kind === 'tool_call') || out.at(-1)?.kind === 'reasoning'
          if (reset) break
          assert.equal(rig.engine().call.request.continue_from, out.length === 0 ? undefined : text)
          assert.equal(rig.engine().call.request.max_tokens, max_tokens - out.length)
        }
        if (!reset) {
          const pieces = out.length === 0 ? answer : onlyText(rest).filter(({ text }) => text !== '')
          for (const part of pieces) rig.engine().call.give(part)
          out = [...out, ...pieces]
          rig.engine().call.finish()
          await settled()
        }
        const { frames, end } = await rig.tail('t')
        const bare = ({ kind, text }: Part): string => `${kind} ${text}`
        assert.deepEqual(partsOf(frames).map(bare), out.map(bare))
        assert.deepEqual(
          frames.flatMap(({ data }) => (typeof data?.['i'] === 'number' ? [data['i']] : [])),
          out.map((_, index) => index),
        )
        assert.equal(end?.['code'], reset ? 'WORKER_RESET' : undefined)
        if (!reset) assert.equal(textOfParts(onlyText(out)), textOfParts(onlyText(answer)))
        assert.equal(rig.pool().slotsBusy, 0)
      }),
      { numRuns: 60 },
    )
  })
})

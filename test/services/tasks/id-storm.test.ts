import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { refusalOf, startRig } from '../../harness/rig.ts'

describe('many requests of one id with different bodies', () => {
  it('cost one digest each: none is read again because others of its id come or are refused', async () => {
    const rig = await startRig()
    rig.storage.hold()
    const first = rig.admit({ task_id: 't' })
    const reads: number[] = []
    const others = Array.from({ length: 30 }, (_, n) => {
      reads[n] = 0
      // What goes through the whole request comes by here.
      const metadata = Object.defineProperty({}, 'n', { enumerable: true, get: () => ((reads[n] = (reads[n] ?? 0) + 1), `${n}`) })
      return refusalOf(rig.admit({ task_id: 't', metadata }))
    })
    await settled()
    const begun = [...reads]
    assert.ok((begun[0] ?? 0) > 0)
    rig.storage.release()
    await first
    for (const { kind } of await Promise.all(others)) assert.equal(kind, 'conflict')
    assert.deepEqual(reads, begun)
    assert.equal(new Set(reads).size, 1, 'as often for the last as for the first')
  })
})

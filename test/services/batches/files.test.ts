import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import type { Upload } from '../../../src/domain/batches/upload.ts'
import { startRig, type Rig } from '../../harness/rig.ts'

/** A form with a file that comes in these pieces. */
const formOf = (pieces: readonly Uint8Array[]): Upload => ({
  receive: async (onFile) => {
    await onFile({ field: 'file', filename: 'lines.jsonl', content: Readable.from(pieces) })
    return new Map([['purpose', 'batch']])
  },
})

const textOf = async (rig: Rig, pieces: readonly Uint8Array[]): Promise<string> => {
  const file = await rig.files.create('ann', formOf(pieces))
  let text = ''
  for await (const part of rig.files.content(file)) text += part
  return text
}

/** The bytes in pieces that begin at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...new Set(places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)), bytes.length]
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

describe('the content of a file', () => {
  it('is what was sent, wherever the network cuts it, within a character too', async () => {
    const rig = await startRig()
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(fc.nat()), async (text, places) => {
        assert.equal(await textOf(rig, cut(Buffer.from(text), places)), text)
      }),
      { examples: [['\ufeff{}', []]] },
    )
  })

  it('is refused where it is no UTF-8, or ends within a character', async () => {
    const rig = await startRig()
    for (const bytes of [Buffer.of(0xff), Buffer.from('é').subarray(0, 1)])
      await assert.rejects(rig.files.create('ann', formOf([bytes])), { kind: 'invalid_params' })
    assert.deepEqual(await rig.files.list({ owner: 'ann', limit: 10 }), { page: [], more: false })
  })
})

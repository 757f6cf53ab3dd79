import assert from 'node:assert/strict'
import type { View } from '../../../src/services/feed/view.ts'
import { Viewer } from '../../../src/services/feed/viewer.ts'

describe('a viewer that takes a frame in pieces', () => {
  it('gets no half of a character, and all of the frame', () => {
    const frame = 'a🦊🦊bc🦊d'
    for (const most of [2, 3, 4, 5, 100]) {
      const view = { snapshot: () => frame } as unknown as View
      const viewer = new Viewer(view, 'ann', undefined, 0, { sent: () => undefined, closed: () => undefined, tick: () => 1 })
      const pieces: string[] = []
      for (let piece = viewer.take(most); piece !== ''; piece = viewer.take(most)) pieces.push(piece)
      assert.equal(pieces.join(''), frame)
      assert.ok(
        pieces.every((piece) => piece.isWellFormed() && piece.length <= most),
        String(most),
      )
    }
  })
})

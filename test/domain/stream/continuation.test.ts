import assert from 'node:assert/strict'
import fc from 'fast-check'
import { beginningOf, canContinue } from '../../../src/domain/stream/continuation.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { ChatMessage } from '../../../src/domain/task.ts'
import { StoppedParts } from '../../../src/domain/stream/stopped-parts.ts'
import { mixedParts, textOfParts } from './parts.kit.ts'

// Few letters, so that stops overlap, nest and repeat; some are more than one unit of UTF-16.
const letters = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('a', 'b', '🦢', 'ü'), maxLength })
const pieces = fc.array(letters(4), { maxLength: 12 })
const stopsOf = fc.array(letters(3), { maxLength: 3 })

/** What goes out of these pieces, until a stop sequence is found. */
function pushed(out: StoppedParts, given: readonly string[]): readonly Part[] {
  const parts: Part[] = []
  for (const text of given) {
    const part = text === '' || out.stopped ? undefined : out.push({ kind: 'text', text })
    if (part !== undefined) parts.push(part)
  }
  return parts
}

/** What a run gives of these pieces, up to one of them. An engine that does not hold back gives them as they are. */
function run(given: readonly string[], stops: readonly string[], before: string): { readonly text: string; readonly stopped: boolean } {
  const out = new StoppedParts(stops, before)
  const parts = pushed(out, given)
  const rest = out.stopped ? undefined : out.flush()
  return { text: textOfParts(rest === undefined ? parts : [...parts, rest]), stopped: out.stopped }
}

describe('an answer in two runs', () => {
  it('is one text, with its stop sequence found wherever it was cut, where the engine holds back what may become one', () => {
    fc.assert(
      fc.property(pieces, stopsOf, fc.nat(12), (all, stops, cut) => {
        const whole = run(all, stops, '')
        const out = new StoppedParts(stops)
        const first = pushed(out, all.slice(0, cut))
        if (out.stopped) return
        // What it held back is lost, and generated again.
        const before = textOfParts(first)
        const rest = run(Array.from(all.join('').slice(before.length)), stops, before)
        assert.deepEqual({ text: before + rest.text, stopped: rest.stopped }, whole)
      }),
      { numRuns: 3000 },
    )
  })

  it('stops at the seam where a stop sequence has begun to go out, which cannot be taken back, and never gives any more of it', () => {
    fc.assert(
      fc.property(pieces, stopsOf, fc.nat(12), (all, stops, cut) => {
        const before = all.slice(0, cut).join('')
        fc.pre(!run([before], stops, '').stopped)
        const whole = run([all.join('')], stops, '')
        const rest = run(all.slice(cut), stops, before)
        assert.equal(rest.stopped, whole.stopped)
        assert.equal(before + rest.text, whole.text.length < before.length ? before : whole.text)
      }),
      { numRuns: 3000 },
    )
  })

  it('has no beginning where a tool call has begun or reasoning is open, else its text', () => {
    fc.assert(
      fc.property(mixedParts(12), (parts) => {
        const beginning = beginningOf(parts)
        const called = parts.some(({ kind }) => kind === 'tool_call')
        if (called || parts.at(-1)?.kind === 'reasoning') return assert.equal(beginning, undefined)
        const texts = parts.filter(({ kind }) => kind === 'text')
        assert.deepEqual(beginning, {
          text: textOfParts(texts),
          parts: parts.length,
          reasoning_parts: parts.length - texts.length,
        })
      }),
      { numRuns: 1000 },
    )
  })
})

describe('an engine that continues', () => {
  const messages: ChatMessage[] = [{ role: 'user', content: 'a' }]
  for (const [what, request, features, can] of [
    ['a prompt', {}, ['continues'], true],
    ['a prompt, but cannot', {}, ['prefill'], false],
    ['a conversation whose last turn it leaves open', { messages }, ['continues', 'prefill'], true],
    ['a conversation, but cannot leave its last turn open', { messages }, ['continues'], false],
    ['a format, which a grammar holds', { response_format: { type: 'json_object' } }, ['continues'], false],
    ['what says that it wants text', { response_format: { type: 'text' } }, ['continues'], true],
    ['what has to be the same each time', { determinism: 'strict' }, ['continues'], false],
  ] as const)
    it(`${can ? 'goes' : 'does not go'} on with ${what}`, () =>
      assert.equal(canContinue({ determinism: 'best_effort', ...request }, features), can))
})

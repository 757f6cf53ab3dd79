import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compileChatTemplate } from '../../src/adapters/engines/llamacpp/chat-template.ts'
import { environmentOf } from '../../src/adapters/engines/process/environment.ts'
import { threadCandidates } from '../../src/adapters/engines/llamacpp/measure.ts'
import { LineRate, LineSplitter } from '../../src/adapters/engines/process/output.ts'
import { IncrementalDecoder } from '../../src/adapters/engines/llamacpp/text-decoder.ts'
import { inStep, oneAtATime } from '../../src/adapters/engines/llamacpp/steps.ts'
import { settled } from '../harness/fake-clock.ts'

/** A tokenizer whose tokens are bytes and which, as SentencePiece's, drops the leading space of a run. */
const detokenizeBytes = (tokens: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(tokens)).replace(/^ /, '')

describe('llama.cpp engine: incremental decoding', () => {
  it('gives whole characters, and together all of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (text) => {
        const decoder = new IncrementalDecoder(detokenizeBytes, [])
        // A real U+FFFD at the very end cannot be told from half a character; a BOM at the start is eaten by TextDecoder.
        fc.pre(!text.endsWith('\u{fffd}') && !text.includes('\u{feff}'))
        const pieces = Array.from(Buffer.from(text), (byte) => decoder.push(byte))
        assert.ok(pieces.every((piece) => piece.isWellFormed()))
        assert.equal(pieces.join(''), text.replace(/^ /, ''))
      }),
    )
  })

  it('keeps the space between prompt and answer', () => {
    const decoder = new IncrementalDecoder(detokenizeBytes, [...Buffer.from('Once upon')])
    assert.equal([...Buffer.from(' a time')].map((byte) => decoder.push(byte)).join(''), ' a time')
  })

  it('keeps the space of a word after a long run of tokens without text', () => {
    // 0 says nothing, as control tokens do.
    const decoder = new IncrementalDecoder((tokens: readonly number[]) => detokenizeBytes(tokens.filter((token) => token > 0)), [])
    const tokens = [...Buffer.from('a'), ...Array<number>(40).fill(0), ...Buffer.from(' b')]
    assert.equal(tokens.map((token) => decoder.push(token)).join(''), 'a b')
  })

  it('never shows half a character', () => {
    const decoder = new IncrementalDecoder(detokenizeBytes, [])
    const bytes = [...Buffer.from('ab🦊')]
    assert.deepEqual(
      bytes.slice(0, -1).map((byte) => decoder.push(byte)),
      ['a', 'b', '', '', ''],
    )
  })
})

describe('llama.cpp engine: output of the child', () => {
  const split = (...chunks: string[]): string[] => {
    const lines: string[] = []
    const splitter = new LineSplitter((line) => lines.push(line))
    for (const chunk of chunks) splitter.push(chunk)
    splitter.end()
    return lines
  }

  it('cuts lines wherever the chunks end', () => {
    assert.deepEqual(split('one\ntw', 'o\r\nthree\n\n', 'four'), ['one', 'two', 'three', 'four'])
  })

  it('escapes what could forge a log or move a cursor', () => {
    assert.deepEqual(split('a\u001b[31mb\tc\u202ed\u2028e\u0000'), ['a\\u{1b}[31mb\\u{9}c\\u{202e}d\\u{2028}e\\u{0}'])
  })

  it('caps a line, also one that never ends', () => {
    const lines = split(...Array.from({ length: 100 }, () => '🦊x'.repeat(100)), '\nnext')
    assert.deepEqual(
      lines.map((line) => line.length),
      [2047 + 1, 4],
    )
    assert.ok(lines.every((line) => line.isWellFormed()))
  })

  it('caps the rate and says how much is missing', () => {
    const lines: string[] = []
    const rate = new LineRate((line) => lines.push(line))
    for (let line = 0; line < 70; line++) rate.push(String(line))
    rate.flush()
    rate.push('after')
    rate.flush()
    assert.equal(lines.length, 52)
    assert.deepEqual(lines.slice(49), ['49', '(20 more lines dropped)', 'after'])
  })
})

describe('llama.cpp engine: small parts', () => {
  it('passes on a few variables and no others', () => {
    const own = {
      PATH: '/bin',
      ORCHD_API_KEYS: 'k',
      HF_TOKEN: 't',
      NODE_OPTIONS: '--inspect',
      NODE_COMPILE_CACHE: '/c',
      CUDA_VISIBLE_DEVICES: '1',
    }
    assert.deepEqual(environmentOf({ own }), { PATH: '/bin', NODE_COMPILE_CACHE: '/c', CUDA_VISIBLE_DEVICES: '1' })
    assert.deepEqual(environmentOf({ own, also: ['HF_TOKEN', 'NOT_SET'] }), {
      PATH: '/bin',
      HF_TOKEN: 't',
      NODE_COMPILE_CACHE: '/c',
      CUDA_VISIBLE_DEVICES: '1',
    })
  })

  it('lets a child see only the devices of its replica, by the numbers that nvidia-smi gives them', () => {
    assert.deepEqual(environmentOf({ own: { CUDA_VISIBLE_DEVICES: '7' }, devices: [0, 2] }), {
      CUDA_VISIBLE_DEVICES: '0,2',
      HIP_VISIBLE_DEVICES: '0,2',
      GGML_VK_VISIBLE_DEVICES: '0,2',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    })
  })

  it('tries powers of two and the number of cores', () => {
    assert.deepEqual([1, 2, 6, 8].map(threadCandidates), [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]])
  })

  it('renders a chat template as its author meant it, but without a clock', () => {
    const source = [
      "{{- bos_token }}{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}no date{% endif %}",
      '{%- for m in messages %}[{{ m.role }}:{{ m.content | trim }}]{% endfor %}{% if tools is not none %}tools{% endif %}',
      '{%- if add_generation_prompt %}[assistant:{% endif %}',
    ].join('\n')
    const render = compileChatTemplate(source, { bos: '<s>', eos: '</s>' })
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: ' Hi ' },
    ]
    assert.equal(render(messages), '<s>no date[system:Be brief.][user:Hi][assistant:')
    const strict = compileChatTemplate("{{ raise_exception('no system role') }}", { bos: '', eos: '' })
    assert.throws(() => strict(messages), /no system role/)
  })

  for (const [name, newTurns, overlap] of [
    ['in step', inStep, 3],
    ['one at a time', oneAtATime, 1],
  ] as const) {
    it(`runs steps ${name}`, async () => {
      const run = newTurns()
      let [now, most] = [0, 0]
      const sequence = async (id: number): Promise<string> => {
        const seen: number[] = []
        for (let at = 0; at < 5; at++) {
          seen.push(
            await run(async () => {
              most = Math.max(most, ++now)
              for (let ticks = 0; ticks <= id; ticks++) await new Promise(setImmediate)
              now -= 1
              return at
            }),
          )
        }
        return seen.join('')
      }
      assert.deepEqual(await Promise.all([0, 1, 2].map(sequence)), ['01234', '01234', '01234'])
      assert.equal(most, overlap)
      await assert.rejects(
        run(() => Promise.reject(new Error('step failed'))),
        /step failed/,
      )
      await assert.rejects(
        run(() => {
          throw new Error('at once')
        }),
        /at once/,
      )
      assert.equal(await run(() => Promise.resolve(7)), 7)
    })
  }

  it('keeps sequences in step that need a moment between two of theirs', async () => {
    const run = inStep()
    const beside: number[] = []
    let now = 0
    const sequence = async (): Promise<void> => {
      for (let at = 0; at < 4; at++) {
        await run(async () => {
          now++
          await settled()
          beside.push(now)
          await settled()
          now--
        })
        for (let moments = 0; moments < 10; moments++) await Promise.resolve()
      }
    }
    await Promise.all([sequence(), sequence()])
    assert.deepEqual(beside, [1, 2, 2, 2, 2, 2, 2, 1])
  })

  it('begins no step before all of those are over that began together', async () => {
    const run = inStep()
    const [first, second] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const begun: string[] = []
    const step = (name: string, over: Promise<undefined>): Promise<undefined> =>
      run(() => {
        begun.push(name)
        return over
      })
    // What is asked for while nothing runs begins alone.
    const all = [step('alone', Promise.resolve(undefined)), step('a1', first.promise), step('b1', second.promise)]
    await settled()
    all.push(step('c1', Promise.resolve(undefined)))
    first.resolve(undefined)
    all.push(step('a2', first.promise))
    await settled()
    assert.deepEqual(begun, ['alone', 'a1', 'b1'])
    second.resolve(undefined)
    await Promise.all(all)
    assert.deepEqual(begun, ['alone', 'a1', 'b1', 'c1', 'a2'])
  })
})

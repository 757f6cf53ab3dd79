import assert from 'node:assert/strict'
import fc from 'fast-check'
import { filled, namesIn, placeholders, type Placeholder } from '../../src/domain/command-template.ts'

const values = fc.record(Object.fromEntries(placeholders.map((name) => [name, fc.string()])) as Record<Placeholder, fc.Arbitrary<string>>)
const piece = fc.oneof(
  fc.constantFrom(...placeholders.map((name) => `{${name}}`)),
  fc.constantFrom('{', '}', '{{', '--port', '{other}', ' '),
)
const command = fc.array(fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')))

describe('a command template', () => {
  it('names every word in braces once, known or not, and takes no JSON for one', () => {
    assert.deepEqual(namesIn(['{port}', '--x={ctx}{port}', '{oops}', '{"a":{"b":1}}', '{}', '{Port}', '{ port }']), ['port', 'ctx', 'oops'])
  })

  it('is filled in one pass: as many arguments as before, and what a value holds stays as it is', () => {
    fc.assert(
      fc.property(command, values, (command, values) => {
        const known: Readonly<Record<string, string | undefined>> = values
        const expected = command.map((argument) => argument.split(/(\{[a-z_]+\})/).map((part) => known[part.slice(1, -1)] ?? part))
        assert.deepEqual(
          filled(command, values),
          expected.map((parts) => parts.join('')),
        )
      }),
    )
  })

  it('leaves what names nothing as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), values, (command, values) => {
        fc.pre(!namesIn(command).some((name) => (placeholders as readonly string[]).includes(name)))
        assert.deepEqual(filled(command, values), command)
      }),
    )
  })
})

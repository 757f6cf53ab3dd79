import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument, type Document } from 'yaml'
import { contractFiles } from '../../scripts/codegen/bundle.ts'
import { lintContracts } from '../../scripts/contract/lint.ts'
import { houseRules } from '../../scripts/contract/rules.ts'
import { temporaryDir } from '../harness/process.ts'

const source = fileURLToPath(new URL('../../contracts/openapi', import.meta.url))

/** Lints a copy of the contract of the data plane with a change, and the other contract beside it where the change is about both. */
async function lintChanged(change: (document: Document) => void, both: boolean): Promise<string[]> {
  const directory = temporaryDir()
  const { path } = directory
  try {
    cpSync(source, path, { recursive: true })
    const file = join(path, 'data.yaml')
    const document = parseDocument(readFileSync(file, 'utf8'), { merge: true })
    change(document)
    writeFileSync(file, document.toString())
    return await lintContracts(path, both ? [file, join(path, 'control.yaml')] : [file], houseRules)
  } finally {
    directory.remove()
  }
}

const drop =
  (...path: (string | number)[]) =>
  (document: Document): void =>
    assert.ok(document.deleteIn(path), path.join('.'))

const set =
  (value: unknown, ...path: (string | number)[]) =>
  (document: Document): void =>
    document.setIn(path, document.createNode(value))

const task = ['paths', '/v1/tasks', 'post'] as const
const fields = ['components', 'schemas', 'TaskRequest', 'properties'] as const

const cases: readonly (readonly [what: string, change: (document: Document) => void, rule: RegExp])[] = [
  ['an operation without a role', drop(...task, 'x-role'), /house\/operation-complete x-role/],
  ['an operation without a tag', set([], ...task, 'tags'), /house\/operation-complete .*no tag/],
  ['a tag nobody declared', set(['other'], ...task, 'tags'), /operation-tag-defined/],
  ['an operationId in another case', set('create_task', ...task, 'operationId'), /house\/operation-complete .*camelCase/],
  ['an operationId of the other contract', set('listPools', ...task, 'operationId'), /house\/operation-id-once/],
  [
    'a body without an example',
    drop(...task, 'requestBody', 'content', 'application/json', 'examples'),
    /house\/operation-complete .*no example/,
  ],
  [
    'an example against its schema',
    set({ one: { value: { task_id: 1 } } }, ...task, 'requestBody', 'content', 'application/json', 'examples'),
    /no-invalid-media-type-examples/,
  ],
  [
    'a parameter without an example',
    drop('components', 'parameters', 'TaskId', 'example'),
    /house\/operation-complete .*parameter id has no example/,
  ],
  ['a parameter without a description', drop('components', 'parameters', 'TaskId', 'description'), /parameter-description/],
  ['a field without a description', drop(...fields, 'max_tokens', 'description'), /house\/described properties\/max_tokens/],
  ['a shared schema without a description', drop('components', 'schemas', 'Priority', 'description'), /house\/described/],
  ['a string without an end', drop('components', 'schemas', 'ModelRef', 'maxLength'), /house\/bounded .*maxLength/],
  ['a number without an end', drop(...fields, 'max_tokens', 'maximum'), /house\/bounded .*maximum/],
  ['a list without an end', drop(...fields, 'messages', 'maxItems'), /house\/bounded .*maxItems/],
  ['a map without an end', drop(...fields, 'metadata', 'maxProperties'), /house\/bounded .*maxProperties/],
  ['an open object', drop('components', 'schemas', 'TaskRequest', 'additionalProperties'), /house\/bounded .*additionalProperties/],
  [
    'a field of an SSE event without an end',
    drop('components', 'schemas', 'TokenEvent', 'properties', 't', 'maxLength'),
    /house\/bounded .*maxLength/,
  ],
  [
    'a response without its correlation id',
    drop(...task, 'responses', '202', 'headers', 'X-Correlation-Id'),
    /house\/responses 202: the header X-Correlation-Id/,
  ],
  [
    'an overload that does not say when to come back',
    drop('components', 'responses', 'TooManyRequests', 'headers', 'Retry-After'),
    /house\/responses 429: the header Retry-After/,
  ],
  [
    'an outage that does not say when to come back',
    drop('components', 'responses', 'Unavailable', 'headers', 'X-Backoff-Ms'),
    /house\/responses 503: the header X-Backoff-Ms/,
  ],
  [
    'an error with a body of its own',
    set({ $ref: '#/components/schemas/Task' }, 'components', 'responses', 'NotFound', 'content', 'application/json', 'schema'),
    /house\/responses 404: the body must be ErrorEnvelope/,
  ],
  [
    'an error with another body beside',
    set({ schema: { type: 'string', maxLength: 9 } }, 'components', 'responses', 'NotFound', 'content', 'text/plain'),
    /house\/responses 404: the body must be ErrorEnvelope/,
  ],
  ['a reference to nowhere', set({ $ref: '#/components/schemas/Nobody' }, ...fields, 'max_tokens'), /no-unresolved-refs/],
  ['a component nobody uses', set({ type: 'boolean', description: 'Unused.' }, 'components', 'schemas', 'Unused'), /no-unused-components/],
]

describe('lint of the contracts', () => {
  it('finds nothing in ours', async () => {
    assert.deepEqual(
      await lintContracts(
        source,
        contractFiles.map((file) => join(source, file)),
        houseRules,
      ),
      [],
    )
  })
  for (const [what, change, rule] of cases)
    it(`finds ${what}`, async () => {
      const problems = await lintChanged(change, what.endsWith('of the other contract'))
      assert.ok(
        problems.some((problem) => rule.test(problem)),
        problems.join('\n') || 'no problem',
      )
    })
})

import assert from 'node:assert/strict'
import { keys, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'

const headers = { Authorization: `Bearer ${keys.all}`, 'Content-Type': 'application/json' }
const question = 'Tell me a story about a fox.'
const schema = {
  type: 'object',
  properties: {
    title: { type: 'string', maxLength: 20 },
    animal: { enum: ['fox', 'owl'] },
    age: { type: 'integer', minimum: 1, maximum: 30 },
  },
  required: ['title', 'animal', 'age'],
  additionalProperties: false,
}
const unheld = { type: 'object', properties: { title: { type: 'string', pattern: '^a' } } }

/** How each door asks for a schema, where its answer is, and what it counts. */
const doors = [
  {
    path: '/v1/chat/completions',
    field: 'response_format.json_schema',
    body: (of: object) => ({
      messages: [{ role: 'user', content: question }],
      response_format: { type: 'json_schema', json_schema: { name: 'tale', schema: of, strict: true } },
    }),
    textOf: (answer: Answer) => answer.choices?.[0]?.message.content,
    tokensOf: (answer: Answer) => answer.usage.completion_tokens,
  },
  {
    path: '/v1/responses',
    field: 'text.format',
    body: (of: object) => ({ input: question, text: { format: { type: 'json_schema', name: 'tale', schema: of, strict: true } } }),
    textOf: (answer: Answer) => answer.output?.[0]?.content[0]?.text,
    tokensOf: (answer: Answer) => answer.usage.output_tokens,
  },
  {
    path: '/v1/messages',
    field: 'output_config.format',
    body: (of: object) => ({
      max_tokens: 200,
      messages: [{ role: 'user', content: question }],
      output_config: { format: { type: 'json_schema', schema: of } },
    }),
    textOf: (answer: Answer) => answer.content?.[0]?.text,
    tokensOf: (answer: Answer) => answer.usage.output_tokens,
  },
]

interface Answer {
  readonly choices?: readonly { readonly message: { readonly content: string } }[]
  readonly output?: readonly { readonly content: readonly { readonly text: string }[] }[]
  readonly content?: readonly { readonly text: string }[]
  readonly usage: { readonly completion_tokens?: number; readonly output_tokens?: number }
}

describe('the doors on the embedded engine: formats', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [talesPool({ ctx: 512 })] })
  })
  after(() => daemon.stop())

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${daemon.url}${path}`, { method: 'POST', headers, body: JSON.stringify({ model: 'file:models/tinytales.gguf', ...body }) })

  for (const { path, field, body, textOf, tokensOf } of doors) {
    it(`${path} gives what fits a schema`, async () => {
      const response = await post(path, body(schema))
      assert.equal(response.status, 200)
      const answer = (await response.json()) as Answer
      const { title, animal, age, ...others } = JSON.parse(textOf(answer) ?? '') as Record<string, unknown>
      assert.ok(typeof title === 'string' && title.length <= 20 && (animal === 'fox' || animal === 'owl') && typeof age === 'number')
      assert.ok(Number.isInteger(age) && age >= 1 && age <= 30)
      assert.deepEqual(others, {})
      assert.ok((tokensOf(answer) ?? 0) > 10)
    })

    it(`${path} refuses a schema that no grammar holds, by the field and the keyword`, async () => {
      const response = await post(path, body(unheld))
      assert.equal(response.status, 400)
      assert.ok((await response.text()).includes(`"message":"body.${field}.schema.properties.title.pattern: no grammar here can hold it`))
    })
  }

  it('streams the same answer, a chunk for each token', async () => {
    const asked = { ...doors[0]?.body(schema), seed: 11 }
    const whole = (await (await post('/v1/chat/completions', asked)).json()) as Answer
    const text = await (await post('/v1/chat/completions', { ...asked, stream: true })).text()
    const chunks = text
      .split('\n\n')
      .flatMap((event) =>
        event.startsWith('data: {') ? [JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] }] : [],
      )
    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.content ?? [])
    assert.equal(pieces.join(''), whole.choices?.[0]?.message.content)
    assert.ok(pieces.filter((piece) => piece !== '').length > 0.8 * (whole.usage.completion_tokens ?? 0), `${pieces.length} pieces`)
  })

  it('says in its capabilities what it holds, and refuses tools by name', async () => {
    const capabilities = JSON.stringify(await (await fetch(`${daemon.url}/v1/capabilities`, { headers })).json())
    assert.match(capabilities, /"json_object","json_schema"/)
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
    const refused = await post('/v1/chat/completions', { messages: [{ role: 'user', content: question }], tools })
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /body\.tools: pool tales does not have the feature tools/)
  })
})

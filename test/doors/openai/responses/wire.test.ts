import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../../../harness/daemon.ts'
import { untilAnswer } from '../../../harness/wait.ts'
import { eventsOf } from './parts.kit.ts'

interface Shown {
  readonly id: string
  readonly status: string
  readonly output: readonly Readonly<Record<string, unknown>>[]
  readonly usage: object | null
  readonly error: { readonly code: string; readonly message: string } | null
}

const hello = { model: 'mock:v1', input: 'Hello', seed: 7 }

describe('the door of OpenAI: responses', () => {
  let daemon: TestDaemon
  before(async () => {
    const slow = mockPool({ id: 'slow', model: 'mock:slow', mock: { token_ms: 20, tokens: 4000 } })
    daemon = await startDaemon({ pools: [mockPool(), slow], doors: { linger_ms: 0 } })
  })
  after(() => daemon.stop())

  const ask = (method: string, path: string, body?: object, key: string = keys.data): Promise<Response> =>
    fetch(`${daemon.url}/v1/responses${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const create = async (body: object): Promise<Shown> => {
    const response = await ask('POST', '', body)
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text) as Shown
  }
  const get = async (id: string, query = ''): Promise<Shown> => (await ask('GET', `/${id}${query}`)).json() as Promise<Shown>
  const errorOf = async (response: Response): Promise<Record<string, unknown>> => {
    const { error } = (await response.json()) as { error: Record<string, unknown> }
    return { status: response.status, code: error['code'], param: error['param'] }
  }
  const withoutIds = (text: string): unknown => JSON.parse(text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))

  it('gives the same answer whole, in events, and when it is asked for again', async () => {
    const whole = await create(hello)
    const streamed = await ask('POST', '', { ...hello, stream: true })
    assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/)
    const events = eventsOf(await streamed.text())
    const { output, usage, id } = events.at(-1)?.data['response'] as Shown
    assert.deepEqual(withoutIds(JSON.stringify(output)), withoutIds(JSON.stringify(whole.output)))
    assert.deepEqual(usage, whole.usage)
    assert.deepEqual(await get(whole.id), whole)
    assert.deepEqual((await get(id)).output, output)
    const again = await (await ask('GET', `/${id}?stream=true`)).text()
    assert.equal(again, events.map(({ raw }) => raw).join(''))
    for (const { number } of events.slice(0, -1)) {
      const rest = await (await ask('GET', `/${id}?stream=true&starting_after=${number}`)).text()
      assert.equal(
        rest,
        events
          .filter((event) => event.number > number)
          .map(({ raw }) => raw)
          .join(''),
      )
    }
  })

  it('says its events in the order that clients need', async () => {
    const events = eventsOf(await (await ask('POST', '', { ...hello, stream: true })).text())
    const types = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
    assert.deepEqual(types, [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  it('is incomplete where its limit cuts it, and a limit beyond the context is clamped', async () => {
    const events = eventsOf(await (await ask('POST', '', { ...hello, max_output_tokens: 3, stream: true })).text())
    const last = events.at(-1)
    assert.equal(last?.type, 'response.incomplete')
    assert.deepEqual((last.data['response'] as Record<string, unknown>)['incomplete_details'], { reason: 'max_output_tokens' })
    assert.equal((await create({ ...hello, max_output_tokens: 32_000_000 })).status, 'completed')
  })

  it('goes on from a response before it, also where that one has a call', async () => {
    const tools = [{ type: 'custom', name: 'patch' }]
    const first = await create({ ...hello, instructions: 'Be brief.', tools, tool_choice: 'required' })
    const called = first.output.find(({ type }) => type === 'custom_tool_call')
    assert.ok(called !== undefined)
    const output = { type: 'custom_tool_call_output', call_id: called['call_id'], output: 'ok' }
    const second = await create({
      ...hello,
      instructions: 'Be long.',
      tools,
      tool_choice: 'none',
      previous_response_id: first.id,
      input: [output],
    })
    const page = (await (await ask('GET', `/${second.id}/input_items?order=asc`)).json()) as { data: Record<string, unknown>[] }
    assert.deepEqual(
      page.data.map(({ type, role, name }) => [type, role ?? name]),
      [['message', 'user'], ...first.output.map(({ type, role, name }) => [type, role ?? name]), ['custom_tool_call_output', undefined]],
    )
    const third = await create({ ...hello, previous_response_id: second.id, input: 'And?' })
    const items = (await (await ask('GET', `/${third.id}/input_items?limit=2`)).json()) as {
      data: Record<string, unknown>[]
      has_more: boolean
      last_id: string
    }
    assert.deepEqual([items.data[0]?.['role'], items.data[1]?.['role'], items.has_more], ['user', 'assistant', true])
    const next = (await (await ask('GET', `/${third.id}/input_items?limit=1&after=${items.last_id}`)).json()) as {
      data: Record<string, unknown>[]
    }
    assert.equal(next.data[0]?.['type'], 'custom_tool_call_output')
  })

  it('takes items that are only named', async () => {
    const first = await create(hello)
    const reference = { type: 'item_reference', id: first.output[0]?.['id'] }
    const second = await create({ ...hello, input: [{ role: 'user', content: 'Hello' }, reference, { role: 'user', content: 'And?' }] })
    const page = (await (await ask('GET', `/${second.id}/input_items?order=asc`)).json()) as { data: { role: string; content: unknown }[] }
    assert.deepEqual(
      page.data.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    )
    assert.deepEqual(page.data[1]?.content, first.output[0]?.['content'])
    for (const id of ['msg_nobody_0', String(reference.id).replace(/^msg/, 'fc'), String(reference.id).replace(/_0$/, '_00')]) {
      const gone = await ask('POST', '', { ...hello, input: [{ type: 'item_reference', id }] })
      assert.deepEqual(await errorOf(gone), { status: 404, code: 'response_not_found', param: null }, id)
    }
  })

  it('is nobody else’s, not there unless it was stored, and gone when it is deleted', async () => {
    const { id } = await create(hello)
    const { id: unstored } = await create({ ...hello, store: false })
    const absent = { status: 404, code: 'response_not_found', param: null }
    assert.deepEqual(await errorOf(await ask('GET', `/${id}`, undefined, keys.other)), absent)
    assert.deepEqual(await errorOf(await ask('GET', `/${id}`, undefined, keys.all)), absent)
    assert.deepEqual(await errorOf(await ask('GET', `/${unstored}`)), absent)
    assert.deepEqual(await errorOf(await ask('DELETE', `/${unstored}`)), absent)
    assert.deepEqual(await (await ask('DELETE', `/${id}`)).json(), { id, object: 'response', deleted: true })
    for (const path of [`/${id}`, `/${id}?stream=true`, `/${id}/input_items`])
      assert.deepEqual(await errorOf(await ask('GET', path)), absent)
    assert.deepEqual(await errorOf(await ask('DELETE', `/${id}`)), absent)
    assert.deepEqual(await errorOf(await ask('POST', `/${id}/cancel`)), absent)
    assert.deepEqual(await errorOf(await ask('POST', '', { ...hello, previous_response_id: id })), absent)
    const tasks = await fetch(`${daemon.url}/v1/tasks/${id.slice(5)}`, { headers: { 'X-API-Key': keys.data } })
    assert.equal(tasks.status, 404)
  })

  it('goes on in the background when nobody reads, and is cancelled when it is told to', async () => {
    const { id, status, output } = await create({ ...hello, model: 'mock:slow', background: true })
    assert.deepEqual([status, output], ['queued', []])
    const running = await untilAnswer(
      () => get(id),
      (response) => response.output.length > 0,
    )
    assert.equal(running.status, 'in_progress')
    const early = await ask('POST', '', { ...hello, previous_response_id: id })
    assert.deepEqual(await errorOf(early), { status: 400, code: 'invalid_params', param: 'previous_response_id' })
    const stream = await ask('GET', `/${id}?stream=true`)
    const cancelled = (await (await ask('POST', `/${id}/cancel`)).json()) as Shown
    assert.deepEqual([cancelled.status, cancelled.error], ['cancelled', null])
    const last = eventsOf(await stream.text()).at(-1)
    assert.deepEqual([last?.type, (last?.data['response'] as Shown).status], ['response.failed', 'cancelled'])
    const [rest, ...others] = eventsOf(await (await ask('GET', `/${id}?stream=true&starting_after=100000`)).text())
    assert.deepEqual([rest?.type, rest?.number, others], ['response.failed', 100_001, []])
    assert.equal(((await (await ask('POST', `/${id}/cancel`)).json()) as Shown).status, 'cancelled')
  })

  it('is deleted while it runs', async () => {
    const { id } = await create({ ...hello, model: 'mock:slow', background: true })
    assert.equal((await ask('DELETE', `/${id}`)).status, 200)
    assert.equal((await ask('GET', `/${id}`)).status, 404)
  })

  it('tells the name of a background response at once, and its stream is taken up where it broke', async () => {
    const leave = new AbortController()
    const streamed = await fetch(`${daemon.url}/v1/responses`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${keys.data}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...hello, model: 'mock:slow', background: true, stream: true, max_output_tokens: 20 }),
      signal: leave.signal,
    })
    assert.ok(streamed.body !== null)
    let had = ''
    for await (const chunk of streamed.body as ReadableStream<Uint8Array>) {
      had += Buffer.from(chunk).toString()
      if ((had.match(/output_text.delta\n/g)?.length ?? 0) >= 3) break
    }
    leave.abort()
    const events = eventsOf(had.slice(0, had.lastIndexOf('\n\n') + 2))
    assert.deepEqual(
      events.slice(0, 3).map(({ type }) => type),
      ['response.created', 'response.queued', 'response.in_progress'],
    )
    const { id } = events[0]?.data['response'] as Shown
    const rest = eventsOf(await (await ask('GET', `/${id}?stream=true&starting_after=${events.at(-1)?.number ?? 0}`)).text())
    const all = eventsOf(await (await ask('GET', `/${id}?stream=true`)).text())
    assert.deepEqual(
      [...events, ...rest].map(({ raw }) => raw),
      all.map(({ raw }) => raw),
    )
    assert.equal(all.at(-1)?.type, 'response.incomplete')
  })

  it('tells errors as OpenAI does', async () => {
    const long = await ask('POST', '', { ...hello, input: 'word '.repeat(20_000) })
    assert.deepEqual(await errorOf(long), { status: 400, code: 'context_length_exceeded', param: 'input' })
    assert.deepEqual(await errorOf(await ask('POST', '', { ...hello, model: 'gpt-9' })), {
      status: 404,
      code: 'model_not_found',
      param: 'model',
    })
    assert.deepEqual(await errorOf(await ask('POST', '', { ...hello, input: 5 })), { status: 400, code: 'invalid_params', param: 'input' })
    assert.deepEqual(await errorOf(await ask('GET', '/resp_x?starting_after=-1')), { status: 400, code: 'invalid_params', param: null })
  })

  it('passes what it does not know, null included', async () => {
    const body = {
      ...hello,
      include: ['reasoning.encrypted_content'],
      client_metadata: { a: 1 },
      service_tier: 'auto',
      truncation: 'auto',
      temperature: null,
      tools: [],
      tool_choice: 'auto',
      text: {},
      reasoning: null,
      previous_response_id: null,
      metadata: { a: 'b' },
    }
    const { id } = await create(body)
    assert.deepEqual(((await get(id)) as unknown as { metadata: object }).metadata, { a: 'b' })
    assert.equal((await create({ ...hello, previous_response_id: '' })).status, 'completed')
  })
})

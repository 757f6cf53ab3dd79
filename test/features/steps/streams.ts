import assert from 'node:assert/strict'
import { Then, When, type DataTable } from '@cucumber/cucumber'
import type { Frame } from '../../../cli/contract/frame.ts'
import { expectFields, expectValue } from './match.ts'
import type { Person, Story } from './world.ts'

When('{person} opens the stream of {string}', async function (this: Story, person: Person, task_id: string) {
  await this.open(person, task_id)
})

When('{person} has read {int} token(s) of {string}', async function (this: Story, _person: Person, count: number, task_id: string) {
  const reader = await this.reader(task_id)
  await reader.until(({ tokens }) => tokens.length >= count)
  assert.equal(reader.tokens.length, count)
})

When("the connection of {person}'s reader of {string} breaks", async function (this: Story, _person: Person, task_id: string) {
  const reader = await this.reader(task_id)
  reader.drop()
})

/** As an EventSource does: with the newest id it has. */
When('{person} resumes the stream of {string}', async function (this: Story, person: Person, task_id: string) {
  const last = (await this.reader(task_id)).frames.findLast(({ id }) => id !== undefined)?.id
  assert.ok(last, 'no frame with an id has come')
  await this.open(person, task_id, last)
})

When('{person} resumes the stream of {string} from {string}', async function (this: Story, person: Person, task_id: string, last: string) {
  await this.open(person, task_id, last)
})

When(
  '{person} asks for what follows {string} in the stream of {string}',
  async function (this: Story, person: Person, last: string, id: string) {
    await this.ask(person, 'streamTask', { id, headers: { 'Last-Event-ID': last } })
  },
)

/** `end` or `error CODE`. */
const terminalOf = ({ event, data }: Frame): string => (event === 'error' ? `error ${String(data?.['code'])}` : String(event))

Then('the stream of {string} ends with {string}', async function (this: Story, task_id: string, expected: string) {
  const { terminal } = await this.ended(task_id)
  assert.ok(terminal, 'there is no terminal frame')
  assert.equal(terminalOf(terminal), expected, JSON.stringify(terminal))
  this.said = terminal.data
})

Then('the stream of {string} has the events {string}', async function (this: Story, task_id: string, expected: string) {
  const { frames } = await this.ended(task_id)
  assert.deepEqual(
    frames.flatMap(({ event }) => event ?? []),
    expected.split(', '),
  )
})

Then('the {word} event of {string} says:', async function (this: Story, event: string, task_id: string, table: DataTable) {
  const reader = await this.reader(task_id)
  await reader.until(({ frames }) => frames.some((frame) => frame.event === event))
  this.said = reader.frames.find((frame) => frame.event === event)?.data
  expectFields(this.said, table)
})

Then(
  'the {word} events of {string} show {word} {string}',
  async function (this: Story, event: string, task_id: string, field: string, values: string) {
    const { frames } = await this.ended(task_id)
    const shown = frames.filter((frame) => frame.event === event).map(({ data }) => data?.[field])
    assert.deepEqual(shown.map(String), values.split(', '))
  },
)

Then('the started event of {string} repeats what the answer said', async function (this: Story, task_id: string) {
  const [started] = (await this.ended(task_id)).frames
  assert.equal(started?.event, 'started')
  const { queue_position, predicted_start_ms, pool_id, accepted_at } = this.sentTask(task_id).answer.json
  assert.deepEqual({ ...started.data, engine: undefined }, { queue_position, predicted_start_ms, pool_id, accepted_at, engine: undefined })
})

Then('the texts of {string} and {string} are {word}', async function (this: Story, one: string, other: string, how: string) {
  const [first, second] = [(await this.ended(one)).text, (await this.ended(other)).text]
  assert.notEqual(first, '')
  if (how === 'equal') assert.equal(first, second)
  else assert.notEqual(first, second)
})

Then('the text of {string} matches {}', async function (this: Story, task_id: string, cell: string) {
  expectValue((await this.ended(task_id)).text, cell, `the text of ${task_id}`)
})

/** Metrics come as time goes by, so each reader has its own; everything else has an id and is the same for all. */
Then('all {int} readers of {string} have the same frames', async function (this: Story, count: number, task_id: string) {
  const readers = this.readers.get(task_id) ?? []
  await Promise.all(readers.map(({ closed }) => closed))
  assert.equal(readers.length, count)
  const [first, ...others] = readers.map(({ frames }) => frames.filter(({ id }) => id !== undefined))
  assert.ok(first && first.length > 2, JSON.stringify(first))
  for (const frames of others) assert.deepEqual(frames, first)
})

Then(
  'the readers of {string} have, one after the other, each of its {int} tokens once',
  async function (this: Story, task_id: string, count: number) {
    await this.ended(task_id)
    const indices = (this.readers.get(task_id) ?? []).flatMap(({ tokens }) => tokens.map(({ data }) => data?.['i']))
    assert.deepEqual(
      indices,
      Array.from({ length: count }, (_, i) => i),
    )
  },
)

/** In the order in which the daemon wrote to its sockets, whatever the network makes of it. */
Then(
  'the last thing written to the stream of {string} is its terminal event, and that before the {int}',
  function (this: Story, task_id: string, status: number) {
    const answered = this.writes.find((write) => write.path === `/v1/tasks/${task_id}/cancel` && write.status === status && write.last)
    assert.ok(answered, 'the answer was not written')
    const last = this.writes.findLast(({ path, text }) => path === `/v1/tasks/${task_id}/stream` && text !== '')
    assert.match(last?.text ?? '', /event: error\n.*\n\n$/)
    assert.ok(last && last.order < answered.order, 'something was written after the answer')
  },
)

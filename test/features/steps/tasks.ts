import assert from 'node:assert/strict'
import { Given, Then, When, type DataTable } from '@cucumber/cucumber'
import { parse } from 'yaml'
import { untilAnswer } from '../../harness/wait.ts'
import { expectValue, fieldsOf, namesOf } from './match.ts'
import type { Person, Story } from './world.ts'

When('{person} sends task {string}', async function (this: Story, person: Person, task_id: string) {
  await this.send(person, task_id)
})

When('{person} sends task {string} with:', async function (this: Story, person: Person, task_id: string, table: DataTable) {
  await this.send(person, task_id, fieldsOf(table))
})

/** A task of these fields and no others. */
When('{person} sends nothing but:', async function (this: Story, person: Person, table: DataTable) {
  await this.sendOnly(person, fieldsOf(table))
})

When(
  '{person} sends task {string} for its stream, with nothing but:',
  async function (this: Story, person: Person, id: string, table: DataTable) {
    await this.stream(person, { task_id: id, ...fieldsOf(table) })
  },
)

/** The newest task, by the id that was drawn for it. */
When('{person} looks at that task', async function (this: Story, person: Person) {
  await this.ask(person, 'getTask', { id: String([...this.sent.keys()].at(-1)) })
})

When(
  '{person} sends task {string} with a prompt of {int} characters',
  async function (this: Story, person: Person, task_id: string, length: number) {
    await this.send(person, task_id, { prompt: 'x'.repeat(length) })
  },
)

When(
  '{person} sends task {string} under the correlation id {string}',
  async function (this: Story, person: Person, task_id: string, id: string) {
    await this.send(person, task_id, {}, { 'X-Correlation-Id': id })
  },
)

/** Each of them has to be accepted; other columns than `task` and `by` are fields of the task. */
Given('these tasks are accepted, one after the other:', async function (this: Story, table: DataTable) {
  for (const { task = '', by = 'Ana', ...cells } of table.hashes()) {
    const fields = Object.fromEntries(
      Object.entries(cells).flatMap(([field, cell]) => (cell === '' ? [] : [[field, parse(cell) as unknown]])),
    )
    const { status, text } = await this.send(by as Person, task, fields)
    assert.equal(status, 202, `${task}: ${text}`)
  }
})

Given('{person} has sent task(s) {}', async function (this: Story, person: Person, names: string) {
  for (const task_id of quoted(names)) {
    const { status, text } = await this.send(person, task_id)
    assert.equal(status, 202, `${task_id}: ${text}`)
  }
})

When('{person} sends the same task {string} again', async function (this: Story, person: Person, task_id: string) {
  await this.ask(person, 'createTask', { body: this.sentTask(task_id).task })
})

Then('both answers for {string} are the same', function (this: Story, task_id: string) {
  assert.deepEqual(this.answer.json, this.sentTask(task_id).answer.json)
})

When('{person} looks at task {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'getTask', { id })
})

When('{person} lists the tasks', async function (this: Story, person: Person) {
  await this.ask(person, 'listTasks')
})

When('{person} cancels task {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'cancelTask', { id })
})

/** The end of a task is written to disk, which takes a moment the clock does not know. */
async function stateOf(story: Story, id: string, awaited: string): Promise<unknown> {
  const { by } = story.sentTask(id)
  const live = (state: unknown): boolean => state === 'queued' || state === 'running'
  const answer = await untilAnswer(
    () => story.put(by, 'getTask', { id }),
    ({ json }) => live(awaited) || !live(json['state']),
  )
  return answer.json['state']
}

Then('task(s) {} is/are {word}', async function (this: Story, names: string, state: string) {
  for (const id of quoted(names)) assert.equal(await stateOf(this, id, state), state, id)
})

Then('the tasks start in the order {string}', async function (this: Story, order: string) {
  const starts: { id: string; at: string }[] = []
  for (const id of this.sent.keys()) {
    await stateOf(this, id, 'completed')
    const { json } = await this.put(this.sentTask(id).by, 'getTask', { id })
    if (typeof json['started_at'] === 'string') starts.push({ id, at: json['started_at'] })
  }
  assert.equal(new Set(starts.map(({ at }) => at)).size, starts.length, 'two tasks started at the same time')
  assert.deepEqual(
    starts.sort((a, b) => a.at.localeCompare(b.at)).map(({ id }) => id),
    namesOf(order),
  )
})

Then('the tasks were told at acceptance:', function (this: Story, table: DataTable) {
  for (const { task = '', ...cells } of table.hashes())
    for (const [field, cell] of Object.entries(cells))
      assert.deepEqual(this.sentTask(task).answer.json[field], parse(cell), `${field} of ${task}`)
})

/** One row for each entry, in order; what a column is empty for is not told. */
Then('{person} sees the queue of {string} as:', async function (this: Story, person: Person, id: string, table: DataTable) {
  const { json, status, text } = await this.put(person, 'listQueue', { id })
  assert.equal(status, 200, text)
  const entries = json['entries'] as readonly Readonly<Record<string, unknown>>[]
  assert.equal(entries.length, table.hashes().length, text)
  table.hashes().forEach((row, at) => {
    for (const [field, cell] of Object.entries(row))
      expectValue(entries[at]?.[field], cell === '' ? '(none)' : cell, `${field} of entry ${at}`)
  })
})

When('{person} asks for {int} entries of the queue of {string}', async function (this: Story, person: Person, limit: number, id: string) {
  await this.ask(person, 'listQueue', { id, query: { limit: String(limit) } })
})

Then('{word} grows from task to task', function (this: Story, field: string) {
  const values = [...this.sent.values()].map(({ answer }) => Number(answer.json[field]))
  assert.ok(values.length > 1, 'one task cannot grow')
  values.forEach((value, i) => assert.ok(i === 0 || value > values[i - 1]!, `${field}: ${values.join(', ')}`))
})

const quoted = (names: string): string[] => [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => String(name))

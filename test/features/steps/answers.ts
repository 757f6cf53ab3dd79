import assert from 'node:assert/strict'
import { Then, When, type DataTable } from '@cucumber/cucumber'
import { expectFields, expectValue } from './match.ts'
import { people, type Person, type Story } from './world.ts'

Then('the answer is {int}', function (this: Story, status: number) {
  assert.equal(this.answer.status, status, this.answer.text)
})

Then('the answer is {int} {code}', function (this: Story, status: number, code: string) {
  assert.equal(this.answer.status, status, this.answer.text)
  assert.equal(this.answer.json['code'], code, this.answer.text)
})

Then('it says:', function (this: Story, table: DataTable) {
  expectFields(this.said, table)
})

Then('its message names {string}', function (this: Story, words: string) {
  const message = String((this.said as { message?: unknown }).message)
  assert.ok(message.includes(words), message)
})

Then('its header {string} is {}', function (this: Story, name: string, cell: string) {
  const value = this.answer.headers[name.toLowerCase()]
  const number = typeof value === 'string' && /^[0-9.]+$/.test(value)
  expectValue(number ? Number(value) : value, cell, name)
})

Then('it does not contain {string}', function (this: Story, secret: string) {
  const text = JSON.stringify(this.said)
  assert.ok(text.length > 2, 'there is nothing to look at')
  assert.ok(!text.includes(secret), text)
})

Then("it does not contain {person}'s key", function (this: Story, person: Person) {
  const text = JSON.stringify(this.said)
  assert.ok(text.length > 2, 'there is nothing to look at')
  assert.ok(!text.includes(people[person].key), text)
})

/** `POST /v1/tasks` as it stands, with the headers of the table; `body` is the body. */
When('{person} requests {string} with:', async function (this: Story, person: Person, request: string, table: DataTable) {
  await raw(this, request, { 'X-API-Key': people[person].key, ...table.rowsHash() })
})

When('{person} requests {string}', async function (this: Story, person: Person, request: string) {
  await raw(this, request, { 'X-API-Key': people[person].key })
})

When('somebody requests {string} with:', async function (this: Story, request: string, table: DataTable) {
  await raw(this, request, table.rowsHash())
})

When('somebody requests {string}', async function (this: Story, request: string) {
  await raw(this, request, {})
})

async function raw(story: Story, request: string, given: Record<string, string>): Promise<void> {
  const [method = '', path = ''] = request.split(' ')
  const { body, ...headers } = given
  await story.request(path, method, headers, body)
}

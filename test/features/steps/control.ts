import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Given, Then, When, type DataTable } from '@cucumber/cucumber'
import { call } from '../../harness/http.ts'
import { until, untilAnswer } from '../../harness/wait.ts'
import { expectFields, fieldsOf } from './match.ts'
import type { Person, Story } from './world.ts'

export const demonstrationModel = new URL('../../../models/tinytales.gguf', import.meta.url)

// Sessions

When('{person} looks at session {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'getSession', { id })
})

When('{person} sets up session {string} with:', async function (this: Story, person: Person, id: string, table: DataTable) {
  await this.ask(person, 'putSession', { id, body: fieldsOf(table) })
})

When('{person} deletes session {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'deleteSession', { id })
})

// Pools

When('{person} drains pool {string} within {duration}', async function (this: Story, person: Person, id: string, deadline_ms: number) {
  await this.ask(person, 'drainPool', { id, body: { deadline_ms } })
})

When('{person} resumes pool {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'resumePool', { id })
})

When('{person} reloads pool {string} with {string}', async function (this: Story, person: Person, id: string, model_ref: string) {
  await this.ask(person, 'reloadPool', { id, body: { model_ref, deadline_ms: 60_000 } })
})

/** The answer comes when the reload is over; the next steps happen meanwhile. */
When(
  '{person} begins to reload pool {string} with {string} within {duration}',
  async function (this: Story, person: Person, id: string, model_ref: string, deadline_ms: number) {
    const { lines } = await this.daemon()
    const before = lines.length
    this.pending = this.put(person, 'reloadPool', { id, body: { model_ref, deadline_ms } })
    await until(() =>
      lines.slice(before).some(({ fields }) => fields['event'] === 'replica' && fields['pool_id'] === id && fields['state'] === 'starting'),
    )
  },
)

When('the reload is over', async function (this: Story) {
  assert.ok(this.pending, 'no reload has begun')
  this.hear(await this.pending)
})

When('{person} looks at the health of pool {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'getPoolHealth', { id })
})

Then('the health of pool {string} says:', async function (this: Story, id: string, table: DataTable) {
  const { json } = await this.put('Ana', 'getPoolHealth', { id })
  expectFields(json, table)
})

When('{person} lists the pools', async function (this: Story, person: Person) {
  await this.ask(person, 'listPools')
})

When('{person} asks what can be asked', async function (this: Story, person: Person) {
  await this.ask(person, 'getCapabilities')
})

Given('a models directory with {string} and a copy of it cut in half, {string}', function (this: Story, whole: string, half: string) {
  assert.ok(!this.started, 'the daemon is running already')
  const dir = mkdtempSync(join(tmpdir(), 'orchd-models-'))
  this.undo.push(() => rmSync(dir, { recursive: true }))
  copyFileSync(demonstrationModel, join(dir, whole))
  const bytes = readFileSync(demonstrationModel)
  writeFileSync(join(dir, half), bytes.subarray(0, bytes.length / 2))
  this.config = { ...this.config, models_dir: dir }
})

Then('the daemon is {word}', async function (this: Story, expected: string) {
  const { url } = await this.daemon()
  const { status } = await call(url, '/readyz')
  assert.equal(status, expected === 'ready' ? 200 : 503)
})

// Artifacts

When('{person} stores the artifact:', async function (this: Story, person: Person, table: DataTable) {
  await this.ask(person, 'createArtifact', { body: { tags: [], metadata: {}, ...fieldsOf(table) } })
})

When('{person} stores what continues that artifact:', async function (this: Story, person: Person, table: DataTable) {
  const { id: parent } = this.said as { id: string }
  await this.ask(person, 'createArtifact', { body: { tags: [], metadata: {}, parent, ...fieldsOf(table) } })
})

When('{person} reads that artifact', async function (this: Story, person: Person) {
  const { id } = this.said as { id: string }
  await this.ask(person, 'getArtifact', { id })
})

When('{person} lists the artifacts with {word} {string}', async function (this: Story, person: Person, filter: string, value: string) {
  await this.ask(person, 'listArtifacts', { query: { [filter]: value } })
})

Then('{int} artifact(s) is/are listed', function (this: Story, count: number) {
  assert.equal((this.answer.json['artifacts'] as unknown[]).length, count, this.answer.text)
})

/** The artifact that the task's state names under `field`, its content as JSON. */
async function readDocument(story: Story, person: Person, task_id: string, field: string): Promise<void> {
  const { json } = await untilAnswer(
    () => story.put(person, 'getTask', { id: task_id }),
    ({ json: task }) => task['state'] !== 'queued' && task['state'] !== 'running',
  )
  const { json: artifact } = await story.ask(person, 'getArtifact', { id: String(json[field]) })
  story.said = { ...artifact, content: JSON.parse(String(artifact['content'])) as unknown }
}

When('{person} reads the transcript of {string}', async function (this: Story, person: Person, task_id: string) {
  await readDocument(this, person, task_id, 'artifact_id')
})

When('{person} reads the result of {string}', async function (this: Story, person: Person, task_id: string) {
  await readDocument(this, person, task_id, 'result_artifact_id')
})

Then('its text is what the readers of {string} got', async function (this: Story, task_id: string) {
  const { text } = await this.ended(task_id)
  assert.notEqual(text, '')
  assert.equal((this.said as { content: { text: string } }).content.text, text)
})

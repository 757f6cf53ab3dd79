import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Then, When, type DataTable } from '@cucumber/cucumber'
import { call } from '../../harness/http.ts'
import type { LogLine } from '../../harness/daemon.ts'
import { expectValue, valueAt } from './match.ts'
import type { Story } from './world.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Declared {
  readonly series: readonly { readonly name: string; readonly type: string; readonly labels: readonly string[] }[]
}

const declared = JSON.parse(readFileSync(new URL('../../../ci/metrics.lint.json', import.meta.url), 'utf8')) as Declared

async function scrape(story: Story): Promise<{ readonly text: string; readonly samples: readonly Sample[] }> {
  const { url } = await story.daemon()
  const { status, text } = await call(url, '/metrics')
  assert.equal(status, 200)
  const samples = text.split('\n').flatMap((line): Sample[] => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
    if (name === undefined) return []
    const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label = '', of = '']) => [label, of] as const)
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
  return { text, samples }
}

const matches = ({ labels }: Sample, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value)

/** Sums up the samples with these labels; a series without any has no value. */
const valueOf = (samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>>): number | undefined => {
  const found = samples.filter((sample) => sample.name === name && matches(sample, labels))
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

Then('the metrics show:', async function (this: Story, table: DataTable) {
  const { samples } = await scrape(this)
  for (const { series = '', labels = '', value = '' } of table.hashes()) {
    const wanted = Object.fromEntries(
      labels
        .split(' ')
        .filter((pair) => pair !== '')
        .map((pair) => pair.split('=') as [string, string]),
    )
    expectValue(valueOf(samples, series, wanted), value, `${series} ${labels}`)
  }
})

Then('every series is declared, with its labels', async function (this: Story) {
  const { samples } = await scrape(this)
  const ours = samples.filter(({ name }) => !/^(process|nodejs)_/.test(name))
  assert.ok(ours.length > 0)
  for (const { name, labels } of ours) {
    const series = declared.series.find(
      (one) => name === one.name || (one.type === 'histogram' && name.replace(/_(bucket|sum|count)$/, '') === one.name),
    )
    assert.ok(series, `${name} is not declared`)
    assert.deepEqual(
      Object.keys(labels)
        .filter((label) => label !== 'le')
        .sort(),
      [...series.labels].sort(),
      name,
    )
  }
})

Then('every declared series has its HELP and TYPE', async function (this: Story) {
  const { text } = await scrape(this)
  for (const { name, type } of declared.series) {
    assert.match(text, new RegExp(`^# HELP ${name} `, 'm'))
    assert.match(text, new RegExp(`^# TYPE ${name} ${type}$`, 'm'))
  }
})

Then('the log tells {string} of task {string} as {string}', async function (this: Story, event: string, task_id: string, sentence: string) {
  const line = await logLine(this, event, task_id)
  assert.equal(line.message, sentence)
})

Then('its lines {string} have the fields {string}', async function (this: Story, events: string, fields: string) {
  const [task_id] = this.sent.keys()
  for (const event of events.split(', ')) {
    const line = await logLine(this, event, String(task_id))
    for (const field of fields.split(', '))
      assert.notEqual(line.fields[field], undefined, `${field} of ${event}: ${JSON.stringify(line.fields)}`)
  }
})

Then(
  '{word} is {string} in each of the lines {string} of task {string}',
  async function (this: Story, field: string, value: string, events: string, task_id: string) {
    for (const event of events.split(', ')) assert.equal((await logLine(this, event, task_id)).fields[field], value, event)
  },
)

async function logLine(story: Story, event: string, task_id: string): Promise<LogLine> {
  const { lines } = await story.daemon()
  const line = lines.find((one) => one.fields['event'] === event && one.fields['task_id'] === task_id)
  return line ?? assert.fail(`there is no line ${event} of ${task_id}`)
}

When("somebody reads the daemon's log", async function (this: Story) {
  const { lines } = await this.daemon()
  this.said = lines.map(({ fields, message }) => ({ ...fields, message, err: String(fields['err']) }))
})

Then('the log has {string} under the correlation id of the answer', async function (this: Story, detail: string) {
  const { lines } = await this.daemon()
  const id = valueAt(this.answer.json, 'correlation_id')
  const found = lines.filter(({ fields }) => fields['correlation_id'] === id)
  assert.ok(
    found.some(({ fields }) =>
      [String(fields['err']), String((fields['err'] as Error | undefined)?.cause)].some((text) => text.includes(detail)),
    ),
    JSON.stringify(found),
  )
})

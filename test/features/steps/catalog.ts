import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Given, Then, When, type DataTable } from '@cucumber/cucumber'
import { makeSigner, manifestOf, modelRequest, sha256 } from '../../harness/catalog.ts'
import { Hub } from '../../harness/hub.ts'
import { untilAnswer } from '../../harness/wait.ts'
import { demonstrationModel } from './control.ts'
import { expectFields, fieldsOf } from './match.ts'
import type { Person, Story } from './world.ts'

/** What a scenario knows of models besides what the daemon says. */
interface Shelf {
  dir?: string
  hub?: Hub
  readonly signers: Map<string, ReturnType<typeof makeSigner>>
  /** Requests as they were registered. */
  readonly requests: Map<string, Record<string, unknown>>
}

const shelves = new WeakMap<Story, Shelf>()

function shelfOf(story: Story): Shelf {
  let shelf = shelves.get(story)
  if (shelf === undefined) shelves.set(story, (shelf = { signers: new Map(), requests: new Map() }))
  return shelf
}

/** Adds to the section `catalog` of the configuration. */
function configure(story: Story, catalog: Record<string, unknown>): void {
  assert.ok(!story.started, 'the daemon is running already')
  story.config = { ...story.config, catalog: { ...(story.config['catalog'] as object | undefined), ...catalog } }
}

function modelsDir(story: Story): string {
  const shelf = shelfOf(story)
  if (shelf.dir !== undefined) return shelf.dir
  assert.ok(!story.started, 'the daemon is running already')
  const dir = mkdtempSync(join(tmpdir(), 'orchd-models-'))
  story.undo.push(() => rmSync(dir, { recursive: true }))
  story.config = { ...story.config, models_dir: dir }
  return (shelf.dir = dir)
}

Given('the file {string} in the models directory, which reads {string}', function (this: Story, name: string, content: string) {
  writeFileSync(join(modelsDir(this), name), content)
})

Given('the demonstration model as {string} in the models directory', function (this: Story, name: string) {
  writeFileSync(join(modelsDir(this), name), readFileSync(demonstrationModel))
})

/** A real server on loopback, the only host the daemon may fetch from. */
Given(
  'a hub that serves {string} of {string}, which reads {string}',
  async function (this: Story, path: string, repo: string, content: string) {
    const hub = await Hub.start()
    hub.put(repo, path, Buffer.from(content))
    modelsDir(this)
    shelfOf(this).hub = hub
    this.undo.push(() => void hub.stop())
    configure(this, { hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } })
  },
)

Given('{string} is a signer the configuration trusts', function (this: Story, name: string) {
  const signer = makeSigner(name)
  shelfOf(this).signers.set(name, signer)
  configure(this, { signers: [...shelfOf(this).signers.values()].map(({ config }) => config) })
})

/** A request for a model of one file whose content is as given; rows of the table replace fields. */
function requestFor(
  id: string,
  source_url: string,
  path: string,
  content: Buffer | string,
  fields: Record<string, unknown>,
): Record<string, unknown> {
  return { ...modelRequest(id, source_url, [manifestOf(path, Buffer.from(content))]), ...fields }
}

async function register(story: Story, person: Person, id: string, file: string, fields: Record<string, unknown>): Promise<void> {
  const request = requestFor(id, `file:${file}`, file, readFileSync(join(modelsDir(story), file)), fields)
  shelfOf(story).requests.set(id, request)
  await story.ask(person, 'createCatalogModel', { body: request })
}

When('{person} registers the file {string} as model {string}', async function (this: Story, person: Person, file: string, id: string) {
  await register(this, person, id, file, {})
})

When(
  '{person} registers the file {string} as model {string} with:',
  async function (this: Story, person: Person, file: string, id: string, table: DataTable) {
    await register(this, person, id, file, fieldsOf(table))
  },
)

When('{person} registers the same model {string} again', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'createCatalogModel', { body: shelfOf(this).requests.get(id) })
})

When(
  '{person} registers {string} as model {string}, whose file {string} should read {string}',
  async function (this: Story, person: Person, source: string, id: string, path: string, content: string) {
    modelsDir(this)
    await this.ask(person, 'createCatalogModel', { body: requestFor(id, source, path, content, {}) })
  },
)

/**
 * Under policy strict: who signed what, and the bill of materials. `signed by` may be nobody or a signer; `over` is the text that was
 * signed, `its digest` for the right one; `sbom` is the content its digest was taken of.
 */
When(
  '{person} registers the file {string} as model {string} under policy strict, signed by {word} over {string}, with an SBOM that should read {string}',
  async function (this: Story, person: Person, file: string, id: string, name: string, over: string, sbom: string) {
    const { signers } = shelfOf(this)
    const digest = sha256(readFileSync(join(modelsDir(this), file)))
    const signer = signers.get(name) ?? makeSigner(name)
    const signatures = name === 'nobody' ? [] : [signer.sign(over === 'its digest' ? digest : over)]
    const bill = sbom === '' ? {} : { sbom: { uri: 'file:sbom.json', digest: sha256(sbom) } }
    await register(this, person, id, file, { signatures, ...bill, trust_policy: { mode: 'strict' } })
  },
)

When('the file {string} is replaced by one that reads {string}', function (this: Story, name: string, content: string) {
  writeFileSync(join(modelsDir(this), name), content)
})

When('{person} looks at model {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'getCatalogModel', { id })
})

When('{person} lists the models', async function (this: Story, person: Person) {
  await this.ask(person, 'listCatalogModels')
})

When('{person} lists the models with {word} {string}', async function (this: Story, person: Person, filter: string, value: string) {
  await this.ask(person, 'listCatalogModels', { query: { [filter]: value } })
})

When('{person} verifies model {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'verifyCatalogModel', { id })
})

When('{person} forgets model {string}', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'deleteCatalogModel', { id })
})

When('{person} retires model {string} within {duration}', async function (this: Story, person: Person, id: string, deadline_ms: number) {
  await this.ask(person, 'setCatalogModelState', { id, body: { state: 'Retired', deadline_ms } })
})

When('{person} brings model {string} back', async function (this: Story, person: Person, id: string) {
  await this.ask(person, 'setCatalogModelState', { id, body: { state: 'Active' } })
})

/** Fetching and verifying go on in the background; this looks until they are over. */
Then('in the end model {string} says:', async function (this: Story, id: string, table: DataTable) {
  const { json } = await untilAnswer(
    () => this.put('Ana', 'getCatalogModel', { id }),
    ({ status, json: { local, verification } }) => status !== 200 || isOver(local, verification),
  )
  this.said = json
  expectFields(json, table)
})

function isOver(local: unknown, verification: unknown): boolean {
  const statusOf = (part: unknown): unknown => (part as { status?: unknown } | undefined)?.status
  if (statusOf(local) !== 'present') return statusOf(local) === 'failed'
  return statusOf(verification) === 'pass' || statusOf(verification) === 'fail'
}

/** Pools follow a model in the background. */
Then('in the end replica {int} of pool {string} is {word}', async function (this: Story, index: number, id: string, state: string) {
  const stateOf = (json: Readonly<Record<string, unknown>>): unknown => (json['replicas'] as { state: string }[])[index]?.state
  await untilAnswer(
    () => this.put('Ana', 'getPoolHealth', { id }),
    ({ json }) => stateOf(json) === state,
  )
})

Then('the hub was asked for nothing', function (this: Story) {
  assert.deepEqual(shelfOf(this).hub?.requests, [])
})

Then('the models directory holds {int} file(s)', function (this: Story, count: number) {
  const files = readdirSync(modelsDir(this), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.equal(files.length, count, files.map(({ name }) => name).join(', '))
})

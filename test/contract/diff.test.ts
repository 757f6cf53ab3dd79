import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { breakingChanges } from '../../cli/contract/diff.ts'
import { Contract, type Json, type JsonObject } from '../../cli/contract/document.ts'
import { compareVersions, judge, newestReleased, parseVersion } from '../../cli/contract/released.ts'
import { temporaryDir } from '../harness/process.ts'
import { sample } from './sample.ts'

/** Sets or, with undefined, removes what is at a path of the sample. */
function changed(path: string, value: Json | undefined): Contract {
  const root = sample()
  const names = path.split('>').map((name) => name.trim())
  const last = names.pop()!
  let at: Json = root
  for (const name of names) at = (at as JsonObject)[name]!
  if (value !== undefined) (at as JsonObject)[last] = value
  else if (Array.isArray(at)) at.splice(Number(last), 1)
  else assert.ok(Reflect.deleteProperty(at as JsonObject, last))
  return new Contract(root)
}

/** [what changes, its new value, where the finding is, what it says] */
type Mutation = readonly [path: string, value: Json | undefined, where: string, what: RegExp]

const post = 'paths > /v1/things > post'
const body = 'components > schemas > Request'
const reply = 'components > schemas > Reply'
const inBody = 'POST /v1/things > request > body'
const in200 = 'POST /v1/things > 200 > body'

const replySchema = ((sample()['components'] as JsonObject)['schemas'] as JsonObject)['Reply']!

const breaking: readonly Mutation[] = [
  ['paths > /v1/things > post', undefined, 'POST /v1/things', /operation was removed/],
  ['paths > /v1/things/{id}', undefined, 'GET /v1/things/{id}', /operation was removed/],
  [`${post} > operationId`, 'makeThing', 'POST /v1/things', /operationId changed/],
  [`${post} > x-role`, 'control', 'POST /v1/things', /x-role changed/],
  [`${post} > responses > 404`, undefined, 'POST /v1/things > 404', /status was removed/],
  [`${post} > responses > 201`, { description: 'Made.' }, 'POST /v1/things > 201', /status other than an error was added/],
  [`${post} > responses > 302`, { description: 'Elsewhere.' }, 'POST /v1/things > 302', /status other than an error was added/],
  ['components > parameters > Limit > allowReserved', true, 'POST /v1/things > request > query parameter limit', /allowReserved changed/],
  // What clients send.
  [`${body} > required > 1`, 'note', inBody, /note became required/],
  [`${body} > properties > note`, undefined, `${inBody}.note`, /field was removed/],
  [`${body} > properties > note > type`, 'integer', `${inBody}.note`, /type changed from "string" to "integer"/],
  [`${body} > properties > note > nullable`, undefined, `${inBody}.note`, /no longer be null/],
  [`${body} > properties > note > maxLength`, 9, `${inBody}.note`, /maxLength changed from 10 to 9/],
  [`${body} > properties > note > minLength`, 1, `${inBody}.note`, /minLength changed from nothing to 1/],
  [`${body} > properties > name > pattern`, '^[a-y]+$', `${inBody}.name`, /pattern changed/],
  [`${body} > properties > note > pattern`, '^a', `${inBody}.note`, /pattern changed/],
  [`${body} > properties > note > format`, 'uuid', `${inBody}.note`, /format changed/],
  [`${body} > properties > count > minimum`, 2, `${inBody}.count`, /minimum changed from 1 to 2/],
  [`${body} > properties > count > maximum`, 99, `${inBody}.count`, /maximum changed/],
  [`${body} > properties > count > default`, 6, `${inBody}.count`, /default changed from 5 to 6/],
  [`${body} > properties > share > type`, 'integer', `${inBody}.share`, /type changed/],
  [`${body} > properties > share > multipleOf`, 0.5, `${inBody}.share`, /multipleOf changed/],
  [`${body} > properties > share > exclusiveMinimum`, true, `${inBody}.share`, /exclusiveMinimum changed/],
  [`${body} > properties > kind > enum > 0`, undefined, `${inBody}.kind`, /value "a" was removed/],
  [`${body} > properties > note > enum`, ['x'], `${inBody}.note`, /only \["x"\] is left/],
  [`${body} > properties > list > maxItems`, 1, `${inBody}.list`, /maxItems changed/],
  [`${body} > properties > list > uniqueItems`, true, `${inBody}.list`, /uniqueItems changed/],
  [`${body} > properties > list > items > maxLength`, 3, `${inBody}.list[]`, /maxLength changed/],
  [`${body} > properties > labels > maxProperties`, 1, `${inBody}.labels`, /maxProperties changed/],
  [`${body} > properties > labels > additionalProperties`, false, `${inBody}.labels`, /fields of any name are gone/],
  [`${body} > properties > labels > additionalProperties > maxLength`, 3, `${inBody}.labels.*`, /maxLength changed/],
  [`${body} > properties > labels > properties`, { a: { type: 'integer' } }, `${inBody}.labels.a`, /type changed/],
  [`${body} > properties > open > additionalProperties`, false, `${inBody}.open`, /fields of any name are gone/],
  [`${body} > properties > either > oneOf > 0`, undefined, `${inBody}.either`, /alternative of oneOf was removed/],
  [`${body} > properties > either > oneOf > 2`, { type: 'number' }, `${inBody}.either`, /fit two alternatives of oneOf/],
  ['components > schemas > Word > properties > title > maxLength', 8, `${inBody}.part as Word.title`, /maxLength changed from 9 to 8/],
  ['components > schemas > Word > properties > title > maxLength', 10, `${inBody}.hint`, /fit two alternatives of oneOf/],
  ['components > schemas > Picture > properties > kind > enum > 1', 'word', `${inBody}.part`, /fit two alternatives of oneOf/],
  ['components > schemas > Picture > required', undefined, `${inBody}.part`, /fit two alternatives of oneOf/],
  ['components > schemas > Level > maximum', 8, `${inBody}.level as Level`, /maximum changed/],
  ['components > schemas > Zero > maximum', 1, `${inBody}.whole`, /what not excludes changed/],
  [`${body} > properties > note > allOf`, [{ minLength: 1 }], `${inBody}.note`, /allOf was added/],
  ['components > schemas > Tree > properties > children > maxItems', 1, `${inBody}.tree.children`, /maxItems changed/],
  [`${body} > properties > note > somethingNew`, 1, `${inBody}.note`, /somethingNew changed/],
  [`${post} > requestBody > content > application/json`, undefined, inBody, /media type application\/json was removed/],
  [`${post} > requestBody`, undefined, inBody, /body was removed/],
  [
    'paths > /v1/things/{id} > get > requestBody',
    { required: true, content: {} },
    'GET /v1/things/{id} > request > body',
    /required body was added/,
  ],
  ['paths > /v1/things/{id} > put > requestBody > required', true, 'PUT /v1/things/{id} > request > body', /became required/],
  ['components > parameters > Limit > required', true, 'POST /v1/things > request > query parameter limit', /became required/],
  ['components > parameters > Limit > schema > maximum', 5, 'POST /v1/things > request > query parameter limit', /maximum changed/],
  ['components > parameters > Limit > name', 'most', 'POST /v1/things > request > query parameter limit', /parameter was removed/],
  ['components > parameters > Limit > in', 'header', 'POST /v1/things > request > query parameter limit', /parameter was removed/],
  [
    `${post} > parameters > 1`,
    { name: 'who', in: 'query', required: true, schema: { type: 'string' } },
    'POST /v1/things > request > query parameter who',
    /required parameter was added/,
  ],
  [`${post} > security`, [{ Key: [] }], 'POST /v1/things', /security Bearer is no longer taken/],
  ['components > securitySchemes > Key > name', 'X-Other-Key', 'POST /v1/things', /security Key is no longer taken/],
  ['paths > /v1/things/{id} > get > security', [{ Key: [] }], 'GET /v1/things/{id}', /now asks for a key/],
  // What clients receive.
  [`${reply} > properties > id`, undefined, `${in200}.id`, /field was removed/],
  [`${reply} > required > 0`, undefined, in200, /id is no longer always there/],
  [`${reply} > properties > id > maxLength`, 11, `${in200}.id`, /maxLength changed/],
  [`${reply} > properties > id > pattern`, undefined, `${in200}.id`, /pattern changed/],
  [`${reply} > properties > id > nullable`, true, `${in200}.id`, /may now be null/],
  [`${reply} > properties > count > type`, 'number', `${in200}.count`, /type changed/],
  [`${reply} > properties > count > minimum`, 0, `${in200}.count`, /minimum changed/],
  [`${reply} > properties > count > maximum`, undefined, `${in200}.count`, /maximum changed/],
  [`${reply} > properties > state > enum > 2`, 'gone', `${in200}.state`, /value "gone" was added/],
  [`${reply} > properties > state > enum > 0`, undefined, `${in200}.state`, /value "new" was removed/],
  [`${reply} > properties > state > enum`, undefined, `${in200}.state`, /may now be anything/],
  [`${reply} > properties > code > enum > 0`, undefined, `${in200}.code`, /value "x" was removed/],
  [`${reply} > properties > marks > additionalProperties`, true, `${in200}.marks`, /fields of any name may now be anything/],
  [`${reply} > properties > marks > properties`, { a: { type: 'string' } }, `${in200}.marks.a`, /type changed/],
  [`${post} > responses > 200 > content > text/plain`, { schema: { type: 'string' } }, in200, /media type text\/plain was added/],
  [`${post} > responses > 200 > headers > Location`, undefined, 'POST /v1/things > 200 > header location', /header was removed/],
  [`${post} > responses > 200 > headers > Location > required`, false, 'POST /v1/things > 200 > header location', /no longer always there/],
  [
    `${post} > responses > 200 > headers > Location > schema > maxLength`,
    65,
    'POST /v1/things > 200 > header location',
    /maxLength changed/,
  ],
  ['paths > /v1/things/{id} > get > x-sse-events > end', undefined, 'GET /v1/things/{id} > event end', /event was removed/],
  [
    'paths > /v1/things/{id} > get > x-sse-events > end > properties > n',
    undefined,
    'GET /v1/things/{id} > event end.n',
    /field was removed/,
  ],
]

const compatible: readonly (readonly [path: string, value: Json | undefined])[] = [
  ['paths > /v1/more', { get: { operationId: 'more', responses: { 200: { description: 'More.' } } } }],
  [`${post} > description`, 'Other words.'],
  [`${post} > deprecated`, true],
  [`${post} > responses > 409`, { description: 'Taken.' }],
  [`${post} > parameters > 1`, { name: 'who', in: 'query', schema: { type: 'string' } }],
  [`${post} > security > 2`, {}],
  ['components > parameters > Limit > schema > maximum', 50],
  [`${body} > properties > extra`, { type: 'string' }],
  [`${body} > required > 0`, undefined],
  [`${body} > properties > note > maxLength`, 11],
  [`${body} > properties > note > description`, 'Other words.'],
  [`${body} > properties > name > pattern`, undefined],
  [`${body} > properties > name > nullable`, true],
  [`${body} > properties > count > type`, 'number'],
  [`${body} > properties > count > minimum`, undefined],
  [`${body} > properties > kind > enum > 2`, 'c'],
  [`${body} > properties > sort > enum > 1`, 'b'],
  [`${body} > properties > labels > additionalProperties`, true],
  [`${body} > properties > either > oneOf > 2`, { type: 'boolean' }],
  ['components > schemas > Picture > properties > alt', { type: 'string' }],
  [`${body} > additionalProperties`, true],
  [`${post} > requestBody > content > text/plain`, { schema: { type: 'string' } }],
  [`${post} > requestBody > required`, false],
  ['paths > /v1/things/{id} > get > requestBody', { content: {} }],
  [`${reply} > properties > extra`, { type: 'string' }],
  [`${reply} > required > 2`, 'state'],
  [`${reply} > properties > id > maxLength`, 9],
  [`${reply} > properties > count > format`, 'int32'],
  [`${reply} > properties > code > enum > 1`, 'y'],
  [`${reply} > additionalProperties`, true],
  [`${post} > responses > 200 > headers > X-More`, { schema: { type: 'string' } }],
  ['paths > /v1/things/{id} > get > responses > 404 > headers', { 'X-More': { schema: { type: 'string' } } }],
  ['paths > /v1/things/{id} > get > x-sse-events > more', { type: 'object' }],
  ['paths > /v1/things/{id} > get > x-sse-events > end > properties > m', { type: 'string' }],
]

describe('what breaks clients of a released contract', () => {
  for (const [path, value, where, what] of breaking)
    it(`${path} = ${value === undefined ? 'removed' : JSON.stringify(value)}`, () => {
      const found = breakingChanges(new Contract(sample()), changed(path, value))
      assert.ok(
        found.some((finding) => finding.where === where && what.test(finding.what)),
        JSON.stringify(found),
      )
    })
})

describe('what does not', () => {
  it('nothing at all', () => {
    const bundle = new Contract(JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as JsonObject)
    assert.deepEqual(breakingChanges(bundle, bundle), [])
    assert.deepEqual(breakingChanges(new Contract(sample()), new Contract(sample())), [])
  })
  for (const [path, value] of compatible)
    it(`${path} = ${value === undefined ? 'removed' : JSON.stringify(value)}`, () => {
      assert.deepEqual(breakingChanges(new Contract(sample()), changed(path, value)), [])
    })
  it('a schema written in place instead of referred to', () => {
    assert.deepEqual(
      breakingChanges(new Contract(sample()), changed(`${post} > responses > 200 > content > application/json > schema`, replySchema)),
      [],
    )
  })
})

describe('the version', () => {
  const of = (version: string, broken = false): Contract => {
    const contract = broken ? changed(post, undefined) : new Contract(sample())
    ;(contract.root['info'] as JsonObject)['version'] = version
    return contract
  }
  it('must rise in its first place for a break, and may never fall', () => {
    assert.match(judge(of('1.2.0'), of('1.3.0', true)).refused ?? '', /raise the major version/)
    assert.equal(judge(of('1.2.0'), of('2.0.0', true)).refused, undefined)
    assert.equal(judge(of('1.2.0'), of('2.0.0', true)).breaking.length, 1)
    assert.match(judge(of('1.2.0'), of('1.1.9')).refused ?? '', /below/)
    assert.deepEqual(judge(of('1.2.0'), of('1.2.0')), { breaking: [] })
  })
  it('is compared by number', () => {
    assert.deepEqual(['1.10.0', '1.9.0', '1.9.10', '2.0.0'].sort(compareVersions), ['1.9.0', '1.9.10', '1.10.0', '2.0.0'])
    assert.deepEqual(['1.0.10', '1.0.2', '1.0.1'].sort(compareVersions), ['1.0.1', '1.0.2', '1.0.10'])
    assert.throws(() => parseVersion('1.0'))
  })
  it('is in the name of the file that holds it, and the newest is the one that counts', () => {
    const folder = temporaryDir()
    const write = (name: string, version: string): void =>
      writeFileSync(join(folder.path, `openapi-${name}.json`), JSON.stringify(of(version).root))
    try {
      assert.equal(newestReleased(folder.path), undefined)
      for (const version of ['1.9.0', '1.10.0', '1.2.0']) write(version, version)
      assert.equal(newestReleased(folder.path)?.version, '1.10.0')
      write('2.0.0', '1.10.0')
      assert.throws(() => newestReleased(folder.path), /openapi-2\.0\.0\.json holds version 1\.10\.0/)
    } finally {
      folder.remove()
    }
  })
})

describe('the parts of a contract', () => {
  it('are found by their references, whatever their names, and not where those lead in a circle', () => {
    const root = { a: { 'b/c~d': { $ref: '#/e' } }, e: { type: 'string' }, f: { $ref: '#/g' }, g: { $ref: '#/f' } }
    const contract = new Contract(root)
    assert.deepEqual(contract.resolve({ $ref: '#/a/b~1c~0d' }), { type: 'string' })
    for (const $ref of ['#/f', '#/none']) assert.throws(() => contract.resolve({ $ref }), /points nowhere/)
  })

  it('may have headers in another case', () => {
    const of = (name: string): Contract => {
      const parameters = [{ name, in: 'header', required: true, schema: { type: 'string' } }]
      return new Contract({ paths: { '/a': { get: { operationId: 'a', parameters, responses: {} } } } })
    }
    assert.deepEqual(breakingChanges(of('X-Of-Ours'), of('x-of-ours')), [])
  })
})

import assert from 'node:assert/strict'
import { normalize, posix } from 'node:path'
import fc from 'fast-check'
import {
  catalogIdOf,
  catalogRef,
  checkCatalogRequest,
  modelDigest,
  refusalOf,
  type CatalogModelRequest,
  type CatalogRecord,
} from '../../../src/domain/catalog/catalog.ts'
import { localPath, parseModelSource, partPath, pathProblem, remoteUrl, storedPath } from '../../../src/domain/catalog/model-source.ts'
import { manifestOf, modelRequest, sha256 } from '../../harness/catalog.ts'

const segment = fc.constantFrom('a', '..', '.', '', 'b c', '.catalog', 'C:', '\\', '\u0000', '%2e%2e', 'ü', '\ud800', 'x'.repeat(256))
const path = fc.oneof(
  fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('/')),
  fc.string(),
  fc.string({ unit: 'binary' }),
)
const root = '/srv/models'

describe('paths of model files', () => {
  it('that are taken stay below their folder, whatever a path is made of', () => {
    fc.assert(
      fc.property(path, (given) => {
        if (pathProblem(given) !== undefined) return
        assert.ok(normalize(`${root}/${given}`).startsWith(`${root}/`))
        assert.equal(posix.normalize(given), given)
        assert.equal(posix.isAbsolute(given), false)
        assert.doesNotMatch(given, /[\0-\x1f\\]/)
      }),
      { numRuns: 2000 },
    )
  })

  it('with a way up, an absolute one or one that is no name are refused', () => {
    for (const bad of [
      '',
      '/',
      '/etc/passwd',
      '..',
      '../x',
      'a/../b',
      'a/..',
      './a',
      'a/./b',
      'a//b',
      'a/',
      '\\\\host\\x',
      'C:/x',
      'c:x',
      'a\0b',
      'a\nb',
      '\ud800',
      'x'.repeat(256),
      'ü'.repeat(128),
    ])
      assert.notEqual(pathProblem(bad), undefined, JSON.stringify(bad))
    for (const good of ['a', 'a/b.gguf', '..a', 'a..', '...', '.hidden', 'ü/日本', '%2e%2e/x', 'x'.repeat(255)])
      assert.equal(pathProblem(good), undefined, good)
  })

  it('of two manifest files are refused where a file system may take them for one, or one for a folder of the other', () => {
    const problem = (...paths: string[]): unknown => {
      try {
        const manifests = paths.map((each) => manifestOf(each, Buffer.from('x')))
        return void checkCatalogRequest(modelRequest('m', 'hf:org/repo', manifests))
      } catch (error) {
        return (error as Error).message.replace(/^body\.manifests\.(\d)\.path: (is|lies).*/, '$1 $2')
      }
    }
    assert.deepEqual([problem('a', 'b'), problem('a/b', 'a/c', 'ab')], [undefined, undefined])
    assert.deepEqual([problem('a', 'A'), problem('\u00fc', 'u\u0308')], ['1 is', '1 is'])
    assert.deepEqual([problem('a/b', 'a'), problem('x', 'a/b', 'a/b/c/d')], ['0 lies', '2 lies'])
  })

  it('of two manifest files never meet in the store', () => {
    fc.assert(
      fc.property(fc.array(path, { minLength: 2, maxLength: 6 }), (paths) => {
        const manifests = paths.map((each) => manifestOf(each, Buffer.from('x')))
        try {
          checkCatalogRequest(modelRequest('m', 'hf:org/repo', manifests))
        } catch {
          return
        }
        const stored = manifests.map((file) => storedPath('m', file.path).toLowerCase())
        assert.equal(new Set(stored).size, stored.length)
        for (const one of stored) for (const other of stored) assert.ok(!one.startsWith(`${other}/`))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('model references', () => {
  it('lead neither up nor into what the daemon has fetched', () => {
    for (const bad of ['hf:org/re..po', 'hf:org/repo@a/../b', 'file:.catalog/m/files/a', 'file:models/.CATALOG/x'])
      assert.throws(() => parseModelSource(bad, 'body.source_url'), /^DomainError: body\.source_url: /, bad)
    assert.equal(parseModelSource('hf:org/re.po', 'f').scheme, 'hf')
  })

  it('are refused with the field for every other scheme, and never lead out', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          path.map((given) => `file:${given}`),
          path.map((given) => `hf:${given}`),
          path.map((given) => `https://host/${given}`),
        ),
        (reference) => {
          try {
            const source = parseModelSource(reference, 'body.source_url')
            if (source.scheme === 'file') assert.equal(pathProblem(source.path), undefined)
            else {
              const url = new URL(remoteUrl(source, ['f', 'g'], 'f', 'https://hub.test'))
              assert.equal(url.protocol, 'https:')
              assert.equal(url.host, source.scheme === 'hf' ? 'hub.test' : source.url.host)
              assert.equal(url.search + url.hash + url.username, '')
              if (source.scheme === 'hf') assert.equal(url.pathname.split('/').length, 6)
            }
          } catch (error) {
            assert.match((error as Error).message, /^body\.source_url: /)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('read as they are meant', () => {
    assert.deepEqual(parseModelSource('file:models/a/b.gguf', 'f'), { scheme: 'file', path: 'a/b.gguf' })
    assert.deepEqual(parseModelSource('file:a', 'f'), { scheme: 'file', path: 'a' })
    assert.deepEqual(parseModelSource('hf:org/repo', 'f'), { scheme: 'hf', repo: 'org/repo', revision: 'main' })
    assert.deepEqual(parseModelSource('hf:o.g/r_e-p@refs/pr/1', 'f'), { scheme: 'hf', repo: 'o.g/r_e-p', revision: 'refs/pr/1' })
    for (const bad of [
      'hf:repo',
      'hf:a/b/c',
      'hf:a/b@',
      'hf:../b',
      'hf:a/..',
      'hf:a/b@../../x',
      'HTTPS://h',
      'https:h',
      'https:///h',
      'https://h/%2e%2fx',
      'https://h/a%',
      'https://h/?',
      'https://h/#',
    ])
      assert.throws(() => parseModelSource(bad, 'f'), /^DomainError: f: /, bad)
  })

  it('name the file itself where they end in its path', () => {
    const https = parseModelSource('https://host/dir/a%20b.gguf', 'f')
    if (https.scheme === 'file') assert.fail()
    assert.equal(remoteUrl(https, ['a b.gguf'], 'a b.gguf', ''), 'https://host/dir/a%20b.gguf')
    assert.equal(remoteUrl(https, ['a b.gguf', 'c'], 'c', ''), 'https://host/dir/a%20b.gguf/c')
    assert.equal(
      remoteUrl({ scheme: 'hf', repo: 'o/r', revision: 'v 1/2' }, ['x?y'], 'x?y', 'http://h'),
      'http://h/o/r/resolve/v%201%2F2/x%3Fy',
    )
    assert.equal(localPath('a/b.gguf', ['b.gguf'], 'b.gguf'), 'a/b.gguf')
    assert.equal(localPath('a', ['b.gguf'], 'b.gguf'), 'a/b.gguf')
    assert.equal(localPath('b', ['b', 'c'], 'c'), 'b/c')
    assert.equal(partPath('m', 'sbom'), '.catalog/m/parts/sbom.part')
  })

  it('by which pools name a catalog model go back and forth', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,127}$/), (id) => assert.equal(catalogIdOf(catalogRef(id)), id)))
    for (const bad of ['catalog:', 'catalog:A', 'catalog:../x', 'file:x', 'catalog:a/b']) assert.equal(catalogIdOf(bad), undefined)
  })
})

describe('what a model is', () => {
  const a = manifestOf('a', Buffer.from('a'))
  const b = manifestOf('b', Buffer.from('b'))

  it('its digest is that of its file, or of its manifest in order', () => {
    assert.equal(modelDigest([a]), a.digest)
    const canonical = `[{"digest":"${a.digest}","path":"a","size_bytes":1},{"digest":"${b.digest}","path":"b","size_bytes":1}]`
    assert.equal(modelDigest([a, b]), sha256(canonical))
    assert.notEqual(modelDigest([b, a]), modelDigest([a, b]))
  })

  it('sizes that no number holds are refused', () => {
    const big = { ...a, size_bytes: Number.MAX_SAFE_INTEGER }
    assert.throws(() => checkCatalogRequest(modelRequest('m', 'file:m', [big, b])), /add up to more than/)
  })

  const record = (fields: Partial<CatalogRecord>): CatalogRecord => {
    const request: CatalogModelRequest = modelRequest('m', 'file:a', [a])
    return { seq: 1, request, state: 'Active', files: 'present', created_at: 0, ...fields }
  }

  it('it takes tasks unless it is retired, absent or failed', () => {
    assert.equal(refusalOf(record({}))?.kind, undefined)
    assert.equal(refusalOf(record({ verification: { status: 'running', started_at: 0 } })), undefined)
    assert.equal(refusalOf(record({ state: 'Retired' }))?.kind, 'model_deprecated')
    assert.equal(refusalOf(record({ files: 'fetching' }))?.kind, 'pool_unready')
    assert.equal(refusalOf(record({ files: 'failed', fetch_error: 'x' }))?.kind, 'conflict')
    assert.equal(refusalOf(record({ verification: { status: 'fail', started_at: 0, reason: 'digest_mismatch' } }))?.kind, 'conflict')
  })
})

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { digestFile } from '../../src/adapters/models/digest-file.ts'
import { ModelFolder } from '../../src/adapters/models/model-folder.ts'
import { modelPath } from '../../src/adapters/system/model-path.ts'
import { storedPath } from '../../src/domain/catalog/model-source.ts'
import { sha256, someBytes } from '../harness/catalog.ts'

describe('the folder of models', () => {
  let place: string
  let models_dir: string
  let folder: ModelFolder
  const signal = new AbortController().signal
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'orchd-folder-'))
    models_dir = join(place, 'models')
    for (const name of ['models/below', 'models-of-others']) mkdirSync(join(place, name), { recursive: true })
    for (const name of ['models/below/m.gguf', 'models-of-others/m.gguf']) writeFileSync(join(place, name), 'model')
    folder = new ModelFolder(models_dir)
  })
  afterEach(() => rmSync(place, { recursive: true }))

  it('has its files, and nothing of its neighbours, by whatever way', async () => {
    symlinkSync(join(place, 'models-of-others'), join(models_dir, 'link'))
    symlinkSync(join(models_dir, 'below'), join(models_dir, 'inside'))
    for (const path of ['below/m.gguf', 'inside/m.gguf']) {
      assert.equal((await folder.find(path)).path, join(models_dir, 'below/m.gguf'))
      assert.equal(modelPath(`file:models/${path}`, models_dir), join(models_dir, 'below/m.gguf'))
    }
    for (const [path, kind] of [
      ['link/m.gguf', 'outside'],
      ['below/none', 'missing'],
      ['below', 'not_a_file'],
    ] as const)
      await assert.rejects(folder.find(path), { kind })
    for (const path of ['link/m.gguf', '../models-of-others/m.gguf', '..'])
      assert.throws(() => modelPath(`file:${path}`, models_dir), /is not below models_dir/)
    for (const path of ['below/none', 'below']) assert.throws(() => modelPath(`file:${path}`, models_dir), /there is no file/)
  })

  it('makes folders for nobody else, and none by a link', async () => {
    const made = await folder.prepare(storedPath('m', 'a/b.gguf'))
    for (let at = dirname(made); at !== models_dir; at = dirname(at)) assert.equal(statSync(at).mode & 0o777, 0o700, at)
    await folder.remove('m')
    assert.equal(existsSync(dirname(made)), false)
    const store = join(models_dir, dirname(dirname(dirname(storedPath('m', 'b.gguf')))))
    await folder.prepare(storedPath('m', 'b.gguf'))
    await folder.remove('m')
    assert.equal(existsSync(store), false, 'what is empty is not left')
    symlinkSync(join(place, 'models-of-others'), store)
    await assert.rejects(folder.prepare(storedPath('m', 'b.gguf')), { kind: 'outside' })
  })

  it('reads a file to its digest, in a thread where it is large, unless nobody waits for that any more', async () => {
    const large = someBytes((1 << 20) + 1)
    writeFileSync(join(models_dir, 'large'), large)
    const stop = new AbortController()
    const { digest, size_bytes } = await folder.digest('large', stop.signal)
    assert.deepEqual([digest, size_bytes, getEventListeners(stop.signal, 'abort').length], [sha256(large), large.length, 0])
    assert.equal((await folder.digest('below/m.gguf', signal)).digest, sha256(Buffer.from('model')))
    const reason = new Error('enough')
    for (const path of ['large', 'below/m.gguf']) await assert.rejects(folder.digest(path, AbortSignal.abort(reason)), reason)
  })

  it('knows a file that was changed, though its size and its time are as they were', async () => {
    const path = join(models_dir, 'below/m.gguf')
    utimesSync(path, 1000, 1000)
    const before = (await folder.find('below/m.gguf')).stamp
    assert.equal((await folder.find('below/m.gguf')).stamp, before)
    writeFileSync(path, 'other')
    utimesSync(path, 1000, 1000)
    assert.notEqual((await folder.find('below/m.gguf')).stamp, before)
    symlinkSync(path, join(models_dir, 'link'))
    assert.deepEqual(digestFile(join(models_dir, 'link')), { failed: 'ELOOP' })
  })
})

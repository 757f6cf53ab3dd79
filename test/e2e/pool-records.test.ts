import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'

describe('what was done to pools comes back after a restart', () => {
  let dir: ReturnType<typeof temporaryDir>
  let daemon: TestDaemon | undefined
  /** The next life of the daemon on the same data. */
  const restart = async (pool: Record<string, unknown> = {}): Promise<TestDaemon> => {
    await daemon?.stop()
    return (daemon = await startDaemon({ data_dir: join(dir.path, 'data'), pools: [mockPool(pool)] }))
  }
  beforeEach(async () => {
    dir = temporaryDir()
    await restart()
  })
  afterEach(async () => {
    await daemon?.stop()
    daemon = undefined
    dir.remove()
  })

  const control = (action: string, body?: object): Promise<Answer> =>
    call(daemon?.url ?? '', `/v1/pools/mock/${action}`, { method: 'POST', key: keys.control, ...(body === undefined ? {} : { body }) })
  const pool = async (): Promise<Readonly<Record<string, unknown>>> => {
    const { json } = await call(daemon?.url ?? '', '/v1/pools', { key: keys.data })
    return (json['pools'] as Readonly<Record<string, unknown>>[])[0] ?? assert.fail()
  }

  it('a drain, until it is resumed', async () => {
    assert.equal((await control('drain', { deadline_ms: 3_600_000 })).status, 202)
    await restart()
    assert.deepEqual([(await pool())['draining'], (await pool())['ready']], [true, false])
    assert.equal((await control('resume')).status, 202)
    await restart()
    assert.deepEqual([(await pool())['draining'], (await pool())['ready']], [false, true])
  })

  it('the model of a reload, also while it drains', async () => {
    assert.equal((await control('reload', { model_ref: 'mock:next' })).status, 202)
    await restart()
    assert.equal((await pool())['model_ref'], 'mock:next')
    assert.equal((await control('drain', { deadline_ms: 3_600_000 })).status, 202)
    await restart()
    assert.deepEqual([(await pool())['model_ref'], (await pool())['draining']], ['mock:next', true])
    assert.equal((await control('reload', { model_ref: 'mock:v1' })).status, 202)
    await restart()
    assert.deepEqual([(await pool())['model_ref'], (await pool())['draining']], ['mock:v1', true])
  })

  it('the model of the configuration holds where that has changed since', async () => {
    assert.equal((await control('reload', { model_ref: 'mock:next' })).status, 202)
    await restart({ ctx: 4096 })
    assert.equal((await pool())['model_ref'], 'mock:v1')
    await restart()
    assert.equal((await pool())['model_ref'], 'mock:next', 'and the old one again with the old configuration')
  })

  it('a model that cannot be used any more gives way to the configured one, and the log says so', async () => {
    assert.equal((await control('reload', { model_ref: 'mock:next' })).status, 202)
    const path = join(dir.path, 'data')
    await daemon?.stop()
    const storage = await openStorage({ data_dir: path })
    const [record] = await storage.pools.all()
    assert.ok(record?.reloaded !== undefined)
    await storage.journal.commit([{ kind: 'pool_put', pool: { ...record, reloaded: { ...record.reloaded, model_ref: 'file:gone.gguf' } } }])
    await storage.close()
    daemon = undefined
    const { lines } = await restart()
    assert.equal((await pool())['model_ref'], 'mock:v1')
    assert.ok(lines.some(({ level, fields }) => level === 'error' && fields['event'] === 'recovery'))
  })

  it('a reload that cannot be written down does not happen', async () => {
    await daemon?.close()
    const { status, json } = await control('reload', { model_ref: 'mock:next' })
    assert.ok(status === 503 || status === 409, String(json['message']))
    assert.equal((await pool())['model_ref'], 'mock:v1')
  })
})

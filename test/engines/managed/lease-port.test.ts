import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { leasePort } from '../../../src/adapters/engines/http/managed/lease-port.ts'

describe('a lease of a port', () => {
  it('gives no port twice at a time', async () => {
    const leases = await Promise.all(Array.from({ length: 200 }, () => leasePort()))
    assert.equal(new Set(leases.map(({ port }) => port)).size, 200)
    for (const lease of leases) lease.release()
  })

  it('tells whether somebody else listens there', async () => {
    const lease = await leasePort()
    assert.equal(await lease.taken(), false)
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(lease.port, '127.0.0.1', resolve))
    assert.equal(await lease.taken(), true)
    await assert.rejects(leasePort(lease.port), { message: `port ${lease.port} of 127.0.0.1 is in use by another process` })
    await new Promise((resolve) => other.close(resolve))
    lease.release()
    lease.release()
  })
})

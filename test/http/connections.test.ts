import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { KeyConnections } from '../../src/http/connections.ts'

/** A request of a key on one of four connections, or the end of that connection. */
const step = fc.record({ place: fc.nat(3), key: fc.constantFrom('ann', 'bob', undefined) })

describe('the connections of keys', () => {
  it('are counted for the key that asked last, to their end, and each key has as many as it may', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, most) => {
        const connections = new KeyConnections(most)
        const open = new Map<number, Socket>()
        const owners = new Map<Socket, string>()
        for (const { place, key } of steps) {
          const socket = open.get(place) ?? (new EventEmitter() as Socket)
          open.set(place, socket)
          if (key === undefined) {
            socket.emit('close')
            owners.delete(socket)
            open.delete(place)
            continue
          }
          const others = [...owners.values()].filter((owner) => owner === key).length
          const headers = new Map<string, unknown>()
          const res = { setHeader: (name: string, value: unknown) => headers.set(name, value) as never }
          if (owners.get(socket) === key || others < most) {
            connections.take(res, socket, key)
            owners.set(socket, key)
            assert.equal(headers.size, 0)
          } else {
            assert.throws(() => connections.take(res, socket, key), { kind: 'rate_limited' })
            assert.deepEqual([...headers], [['Connection', 'close']])
          }
        }
      }),
    )
  })
})

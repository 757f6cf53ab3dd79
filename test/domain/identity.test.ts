import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isLoopbackAddress } from '../../src/domain/loopback.ts'
import { DomainError } from '../../src/domain/errors.ts'
import { actingFor, ownersListed, type Principal } from '../../src/domain/principal.ts'
import { taskKeyOf } from '../../src/domain/task.ts'
import { correlationIdFrom } from '../../src/middleware/begin-request.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('correlation id', () => {
  it('is the given one exactly where that is 1 to 128 visible ASCII characters', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 128,
      size: 'max',
    })
    fc.assert(
      fc.property(visible, (given) => {
        assert.equal(correlationIdFrom(given), given)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 140, size: 'max' }), (given) => {
        const fits = given.length >= 1 && given.length <= 128 && Array.from(given).every((char) => char >= '!' && char <= '~')
        if (fits) assert.equal(correlationIdFrom(given), given)
        else assert.match(correlationIdFrom(given), uuid)
      }),
    )
    for (const given of [undefined, '', ' ', 'a b', 'a\n', 'é', 'x'.repeat(129)]) assert.match(correlationIdFrom(given), uuid)
  })

  it('is another one each time', () => {
    assert.equal(new Set(Array.from({ length: 1000 }, () => correlationIdFrom(undefined))).size, 1000)
  })
})

describe('loopback', () => {
  it('is 127.0.0.0/8, also mapped, and ::1', () => {
    const byte = fc.nat(255)
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        const address = `${a}.${b}.${c}.${d}`
        assert.equal(isLoopbackAddress(address), a === 127)
        assert.equal(isLoopbackAddress(`::ffff:${address}`), a === 127)
      }),
    )
    for (const address of ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::FFFF:7f00:1'])
      assert.equal(isLoopbackAddress(address), true, address)
  })

  it('is nothing else', () => {
    for (const address of [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '127.0.0.1:80',
      '[::1]',
      ' 127.0.0.1',
      '128.0.0.1',
      '126.255.255.255',
      '0.0.0.0',
      '::',
      '::2',
      '::127.0.0.1',
      'fe80::1',
      '10.0.0.1',
      '::ffff:10.0.0.1',
      '127.0.0.1.evil.example',
    ])
      assert.equal(isLoopbackAddress(address), false, address)
    fc.assert(
      fc.property(fc.domain(), (name) => {
        assert.equal(isLoopbackAddress(name), false)
      }),
    )
  })
})

describe('principal', () => {
  it('has its own things, and another’s with the role control by naming their owner', () => {
    const ann: Principal = { name: 'ann', roles: ['data'] }
    const boss: Principal = { name: 'boss', roles: ['data', 'control'] }
    assert.equal(ownersListed(ann), 'ann')
    assert.equal(ownersListed(ann, 'ann'), 'ann')
    assert.equal(ownersListed(boss), undefined)
    assert.equal(ownersListed(boss, 'ann'), 'ann')
    assert.equal(actingFor(ann, undefined).name, 'ann')
    assert.equal(actingFor(boss, undefined).name, 'boss')
    assert.equal(actingFor(boss, 'ann').name, 'ann')
    for (const reach of [() => ownersListed(ann, 'boss'), () => actingFor(ann, 'boss')])
      assert.throws(reach, (error: unknown) => error instanceof DomainError && error.kind === 'forbidden')
  })

  it('shares no task with another, whatever the ids', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,9}$/)
    const part = fc.string({ unit: fc.constantFrom('a', '/', '.'), minLength: 1 })
    fc.assert(
      fc.property(name, part, name, part, (owner, id, other, otherId) => {
        assert.equal(taskKeyOf(owner, id) === taskKeyOf(other, otherId), owner === other && id === otherId)
      }),
    )
  })
})

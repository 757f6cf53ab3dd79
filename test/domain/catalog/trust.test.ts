import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ed25519Key, Trust } from '../../../src/domain/catalog/trust.ts'
import { makeSigner, manifestOf, modelRequest } from '../../harness/catalog.ts'

const ann = makeSigner('ann')
const eve = makeSigner('eve')
const trust = new Trust([ann.config])
const file = manifestOf('a', Buffer.from('a'))
const signed = (...signatures: ReturnType<typeof ann.sign>[]): string[] =>
  trust.findings(modelRequest('m', 'file:a', [file], { signatures })).map(({ reason }) => reason)

describe('trust', () => {
  it('takes a signature of a known key, beside others or alone', () => {
    assert.deepEqual(signed(ann.sign(file.digest)), [])
    assert.deepEqual(signed(eve.sign(file.digest), ann.sign(file.digest)), [])
  })

  it('finds none, unknown ones and wrong ones', () => {
    assert.deepEqual(signed(), ['unsigned'])
    assert.deepEqual(signed(eve.sign(file.digest)), ['unsigned'])
    assert.deepEqual(signed(ann.sign('sha256:other')), ['bad_signature'])
    assert.deepEqual(signed(ann.sign(file.digest), { ...eve.sign(file.digest), signer: 'ann' }), ['bad_signature'])
  })

  it('takes those alone that the policy of the model names, where it names some', () => {
    const both = new Trust([ann.config, eve.config])
    const found = (...signers: string[]): string[] =>
      both
        .findings(modelRequest('m', 'file:a', [file], { signatures: [ann.sign(file.digest)], trust_policy: { mode: 'strict', signers } }))
        .map(({ reason }) => reason)
    assert.deepEqual([found('ann'), found('eve', 'ann'), found('eve')], [[], [], ['unsigned']])
  })

  it('takes no signature in which one bit is another', () => {
    const good = ann.sign(file.digest)
    fc.assert(
      fc.property(fc.nat(511), (bit) => {
        const bytes = Buffer.from(good.value, 'base64')
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        assert.deepEqual(signed({ ...good, value: bytes.toString('base64') }), ['bad_signature'])
      }),
    )
  })

  it('takes nothing that is not 64 bytes in base64', () => {
    const good = ann.sign(file.digest)
    fc.assert(fc.property(fc.string(), (value) => assert.deepEqual(signed({ ...good, value }), ['bad_signature'])))
    assert.deepEqual(signed({ ...good, value: `${good.value} ` }), ['bad_signature'])
    assert.deepEqual(signed({ ...good, value: Buffer.from(good.value, 'base64').toString('base64url') }), ['bad_signature'])
  })

  it('refuses keys that are none', () => {
    for (const key of ['', 'AAAA', `${ann.config.public_key}=`, Buffer.alloc(33).toString('base64')])
      assert.throws(() => ed25519Key(key), /32 bytes/)
  })
})

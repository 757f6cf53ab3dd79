import assert from 'node:assert/strict'
import fc from 'fast-check'
import { EgressRules, isPublicAddress } from '../../../src/domain/catalog/egress.ts'

const hub = 'https://hub.test'
const refusal = (hosts: string[], url: string, hf_endpoint = hub): string | undefined =>
  new EgressRules(hosts, hf_endpoint).refusal(new URL(url))

describe('egress rules', () => {
  it('know which addresses are public', () => {
    for (const address of [
      '8.8.8.8',
      '1.1.1.1',
      '172.15.0.1',
      '172.32.0.1',
      '192.167.0.1',
      '223.255.255.255',
      '2606:4700::1111',
      '2a00:1450:4001::8',
    ])
      assert.equal(isPublicAddress(address), true, address)
    const special = [
      '127.0.0.1',
      '127.255.255.254',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '198.18.0.1',
      '203.0.113.9',
      // AS112 and AMT.
      '192.31.196.1',
      '192.175.48.6',
      '192.52.193.1',
    ]
    const special6 = [
      '::1',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      'ff02::1',
      '::ffff:8.8.8.8',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '2001:db8::1',
      '2001::1',
      '3fff::1',
      '2620:4f:8000::6',
      '2001:4:112::1',
      '2001:3::1',
    ]
    for (const address of [...special, ...special6, 'example.com', '']) assert.equal(isPublicAddress(address), false, address)
  })

  it('take no address for a host below a domain, and no URL with a user or with a password alone', () => {
    assert.equal(refusal(['*.hub.test'], 'https://a.hub.test/'), undefined)
    assert.notEqual(refusal(['*.0.0.1'], 'https://127.0.0.1/'), undefined)
    for (const who of ['user@', ':password@', 'user:password@'])
      assert.notEqual(refusal(['hub.test'], `https://${who}hub.test/`), undefined, who)
  })

  it('list nothing, and then nothing may be fetched', () => {
    fc.assert(fc.property(fc.webUrl({ validSchemes: ['http', 'https', 'ftp'] }), (url) => assert.notEqual(refusal([], url), undefined)))
  })

  it('take a host on its port, a domain for what is below it, and nothing that only looks alike', () => {
    const hosts = ['hub.test', 'cdn.test:8443', '*.hf.test', '10.0.0.5:444', '[::1]:9000']
    for (const url of [
      'https://hub.test/x',
      'https://HUB.test:443/',
      'https://cdn.test:8443/',
      'https://a.hf.test/',
      'https://a.b.hf.test/',
      'https://10.0.0.5:444/',
      'https://[::1]:9000/',
      'https://[0:0::1]:9000/',
      'https://0xa.5:444/',
    ])
      assert.equal(refusal(hosts, url), undefined, url)
    for (const url of [
      'https://hub.test:8443/',
      'https://hub.test./',
      'https://xhub.test/',
      'https://hub.test.evil.test/',
      'https://cdn.test/',
      'https://hf.test/',
      'https://evilhf.test/',
      'https://10.0.0.5/',
      'https://[::2]:9000/',
      'https://[::ffff:10.0.0.5]:444/',
    ])
      assert.match(refusal(hosts, url) ?? '', /is not in catalog\.egress\.hosts$/, url)
    assert.match(refusal(['*.0.0.5'], 'https://10.0.0.5/') ?? '', /is not in/)
  })

  it('speak plainly only to the hub, and only if it is configured so', () => {
    const hosts = ['hub.test:80', 'hub.test', '127.0.0.1:9000']
    assert.match(refusal(hosts, 'http://hub.test/') ?? '', /^http:\/\/hub\.test is not https$/)
    assert.equal(refusal(hosts, 'http://127.0.0.1:9000/x', 'http://127.0.0.1:9000'), undefined)
    assert.match(refusal(hosts, 'http://hub.test/', 'http://127.0.0.1:9000') ?? '', /is not https/)
    assert.match(refusal(['127.0.0.1:9001'], 'http://127.0.0.1:9000/', 'http://127.0.0.1:9000') ?? '', /is not in/)
  })

  it('take no user and password, and do not repeat them', () => {
    const refused = refusal(['hub.test'], 'https://me:secret@hub.test/')
    assert.match(refused ?? '', /holds a user or a password/)
    assert.doesNotMatch(refused ?? '', /secret/)
  })

  it('let a connection go to public addresses and to those that are listed with their port', () => {
    const rules = new EgressRules(['hub.test', '10.0.0.5:444', '[fd00::5]:444'], hub)
    assert.equal(rules.allowsAddress('8.8.8.8', 443), true)
    assert.equal(rules.allowsAddress('10.0.0.5', 444), true)
    assert.equal(rules.allowsAddress('fd00:0::5', 444), true)
    assert.equal(rules.allowsAddress('10.0.0.5', 443), false)
    assert.equal(rules.allowsAddress('10.0.0.6', 444), false)
    assert.equal(rules.allowsAddress('127.0.0.1', 443), false)
    assert.equal(rules.allowsAddress('hub.test', 443), false)
  })
})

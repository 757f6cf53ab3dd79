import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkConfig, ConfigError, loadConfig } from '../../src/config/config.ts'
import { makeSigner } from '../harness/catalog.ts'
import { talesPool } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'

const refusal = (catalog: Record<string, unknown>): string => {
  try {
    checkConfig({ catalog })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  return assert.fail('was taken')
}

describe('configuration of the catalog', () => {
  it('fetches nothing and trusts nobody by default', () => {
    assert.deepEqual(checkConfig({}).catalog, { egress: { hosts: [] }, hf_endpoint: 'https://huggingface.co', signers: [] })
  })

  it('takes hosts, domains and addresses, and refuses what is none of them', () => {
    const hosts = ['huggingface.co', '*.hf.co', 'hub:8443', '10.0.0.5:8443', '[fd00::5]:443']
    assert.deepEqual(checkConfig({ catalog: { egress: { hosts } } }).catalog.egress.hosts, hosts)
    for (const bad of ['', '*', 'https://hub', 'hub/path', 'a b', '*.', 'hub:', 'user@hub', 'fd00::5'])
      assert.match(refusal({ egress: { hosts: [bad] } }), /^catalog\.egress\.hosts\[0\]: /, bad)
    assert.equal(refusal({ egress: { hosts: ['hub:65536'] } }), 'catalog.egress.hosts[0]: "hub:65536" has a port above 65535')
    assert.equal(refusal({ egress: { host: [] } }), 'catalog.egress.host: is not known here; did you mean hosts?')
  })

  it('refuses an endpoint with more than an origin, keys that are none and names that come twice', () => {
    for (const bad of ['hub.test', 'https://me:pw@hub', 'https://hub/path', 'ftp://hub'])
      assert.match(refusal({ hf_endpoint: bad }), /^catalog\.hf_endpoint: /)
    assert.equal(refusal({ hf_endpoint: 'https://hub:99999' }), 'catalog.hf_endpoint: "https://hub:99999" is not a URL')
    const { config } = makeSigner('ann')
    assert.match(refusal({ signers: [{ ...config, public_key: 'AAAA' }] }), /^catalog\.signers\[0\]\.public_key: /)
    assert.match(
      refusal({ signers: [{ ...config, public_key: `${'A'.repeat(42)}B=` }] }),
      /^catalog\.signers\[0\]\.public_key: must be the 32 bytes/,
    )
    assert.equal(refusal({ signers: [config, { ...makeSigner('ann').config }] }), 'catalog.signers[1].name: "ann" is used twice')
  })

  it("takes the hub's token from the environment beside what the file says", () => {
    const dir = temporaryDir()
    try {
      const path = join(dir.path, 'config.yaml')
      writeFileSync(path, 'catalog: { egress: { hosts: [huggingface.co] } }')
      const { catalog } = loadConfig(path, { ORCHD_HF_TOKEN: 'hf_x' }).config
      assert.equal(catalog.hf_token, 'hf_x')
      assert.deepEqual(catalog.egress.hosts, ['huggingface.co'])
    } finally {
      dir.remove()
    }
  })

  it('lets an embedded pool name a catalog model by its id', () => {
    checkConfig({ pools: [talesPool({ model: 'catalog:tales' })] })
    assert.throws(() => checkConfig({ pools: [talesPool({ model: 'catalog:../x' })] }), /pools\[0\]\.model: .*after catalog: comes the id/)
  })
})

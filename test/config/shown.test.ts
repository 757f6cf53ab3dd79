import assert from 'node:assert/strict'
import { checkConfig, shownConfig } from '../../src/config/config.ts'

const hash = 'ab'.repeat(32)
/** What may not be shown, each where a configuration may have it. */
const secrets = {
  key: hash,
  hub: 'hf_hubtoken',
  flag: 's3cr3t-after-a-flag',
  digits: '4711471147',
  numeric: '123456',
  joined: 'joined-secret',
  header: 'Authorization: Bearer of-the-engine',
  variable: 'API_TOKEN=in-the-command',
  shell: 'serve --key hidden-in-a-line',
}

const config = checkConfig({
  data_dir: ':memory:',
  auth: { keys: [{ name: 'ann', key_sha256: secrets.key, roles: ['data'], limits: { queued_tasks: 3 } }] },
  catalog: { hf_token: secrets.hub, signers: [{ name: 'vendor', public_key: `${'A'.repeat(43)}=` }] },
  pools: [
    { id: 'far', engine: 'openai', model: 'openai:one', ctx: 4096, url: 'http://127.0.0.1:9', api_key_env: 'CLOUD_KEY', replayable: false },
    {
      ...{ id: 'own', engine: 'llamacpp', model: 'file:models/tinytales.gguf', ctx: 256, env: ['HF_HOME'] },
      command: [
        ...['llama-server', '--model', '{model_path}', '--port', '{port}', '-ngl', '99', '--ctx-size={ctx_total}', '--flash-attn'],
        ...['--api-key', secrets.flag, '--pin', secrets.digits, '--token', secrets.numeric, `--secret=${secrets.joined}`],
        ...['-H', secrets.header, secrets.variable, '-c', secrets.shell],
      ],
    },
  ],
})

describe('a configuration as it is shown', () => {
  it('has no secret in it, wherever one may stand', () => {
    const text = JSON.stringify(shownConfig(config))
    for (const [what, secret] of Object.entries(secrets)) assert.ok(!text.includes(secret), `${what}: ${text}`)
    assert.doesNotMatch(text, /key_sha256|hf_token/)
  })

  it('has all the rest, defaults as well', () => {
    const shown = shownConfig(config) as { auth: { keys: unknown[] }; pools: Record<string, unknown>[]; retention: { tasks_ms: number } }
    assert.deepEqual(shown.auth.keys, [
      { name: 'ann', roles: ['data'], limits: { queued_tasks: 3, top_priority: 'interactive', budgets: {} } },
    ])
    assert.equal(shown.retention.tasks_ms, 86_400_000)
    assert.equal(shown.pools[0]?.['api_key_env'], 'CLOUD_KEY')
    assert.deepEqual(shown.pools[1]?.['env'], ['HF_HOME'])
    const { command, ...rest } = shown.pools[1] as { command: string[] }
    assert.deepEqual(command.slice(0, 9), [
      ...['llama-server', '--model', '{model_path}', '--port', '{port}', '-ngl', '99', '--ctx-size={ctx_total}', '--flash-attn'],
    ])
    assert.deepEqual(command.slice(9), [
      '--api-key',
      '***',
      '--pin',
      '***',
      '--token',
      '***',
      '--secret=***',
      '-H',
      '***',
      '***',
      '-c',
      '***',
    ])
    assert.deepEqual({ ...rest, command }, { ...config.pools[1], command })
    assert.deepEqual(Object.keys(shown), Object.keys(config))
  })
})

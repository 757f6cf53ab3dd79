import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

/** Takes every file there is, starts an engine's process, and says why it did not load. */
const script = `
import { openSync, closeSync } from 'node:fs'
import { LlamaProcess } from './src/adapters/engines/llamacpp/process.ts'
const files = []
try { for (;;) files.push(openSync('/dev/null')) } catch {}
const child = new LlamaProcess(new URL('file:///nowhere.ts'), () => undefined)
const reason = await child.load({ type: 'stop' }).catch((error) => error)
for (const file of files) closeSync(file)
console.log(reason.message)
`

describe('an engine’s process without a file descriptor left', () => {
  it('is not started, and says so', () => {
    const args = ['-c', 'ulimit -n 80 && exec "$@"', 'sh', process.execPath, '--input-type=module-typescript', '-e', script]
    assert.match(execFileSync('sh', args, { encoding: 'utf8' }), /^the llama\.cpp process could not be started: .*EMFILE/)
  })
})

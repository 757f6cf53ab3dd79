import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { printable } from '../../src/adapters/system/printable.ts'

const steering = '\u007f\u0080\u009b31m\u009f\u2028\u2029\u202e\u2066\u200b\ufeff\u{e0001}'

describe('the log', () => {
  it('control characters are escaped in every log line, and mean the same', async () => {
    const log = new URL('../../src/adapters/system/log.ts', import.meta.url).href
    const script = `import { createLog } from ${JSON.stringify(log)}
      const text = JSON.parse(process.argv[1])
      createLog('info').warn({ [text]: text, err: new Error(text) }, text)`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
      JSON.stringify(`a\n\u001b${steering}ü`),
    ])
    assert.match(stdout, /^[^\p{Cc}\p{Cf}\u2028\u2029]*\n$/u)
    const line = JSON.parse(stdout) as { msg: string; err: { message: string } }
    assert.deepEqual([line.msg, line.err.message], [`a\n\u001b${steering}ü`, `a\n\u001b${steering}ü`])
  })

  it('leaves what people write as it is', () => {
    for (const line of ['{"msg":"plain"}\n', '{"msg":"größer 日本 \u{1f600}"}\n']) assert.equal(printable(line), line)
    assert.equal(printable('"\u202e"'), '"\\u202e"')
    assert.equal(printable('"\u{e0001}"'), '"\\udb40\\udc01"')
  })
})

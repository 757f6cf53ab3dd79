import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { buildSdk } from '../../scripts/sdk/build.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { CuttingProxy } from '../sdk/cutting-proxy.ts'

const openapiFetch = fileURLToPath(import.meta.resolve('openapi-fetch'))
const html = `<!doctype html><script type="importmap">{ "imports": { "@orchestratord/client": "/src/index.js", "openapi-fetch": "/openapi-fetch.js" } }</script>`

withEngine('chromium', 'the client in a browser', () => {
  const dir = temporaryDir()
  let pages: Server
  let daemon: TestDaemon
  let proxy: CuttingProxy
  let browser: Browser
  let page: Page

  before(async () => {
    buildSdk(join(dir.path, 'dist'))
    pages = createServer(({ url = '/' }, response) => {
      if (url === '/') response.setHeader('Content-Type', 'text/html').end(html)
      else {
        const file = url === '/openapi-fetch.js' ? openapiFetch : join(dir.path, 'dist', url)
        response.setHeader('Content-Type', 'text/javascript').end(existsSync(file) ? readFileSync(file) : '')
      }
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
    const slow = mockPool({ id: 'slow', model: 'mock:slow', mock: { prefill_ms: 0, token_ms: 60_000, tokens: 8 } })
    daemon = await startDaemon({
      pools: [mockPool({ mock: { prefill_ms: 0, token_ms: 1, tokens: 8 } }), slow],
      cors: { origins: [origin] },
    })
    proxy = await CuttingProxy.start({ target: () => Promise.resolve(daemon.url), remainder: 9, onFrame: () => Promise.resolve() })
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(origin)
  })
  after(async () => {
    await browser.close()
    await proxy.stop()
    await daemon.stop()
    await new Promise((resolve) => pages.close(resolve))
    dir.remove()
  })

  /** What a module with the client at hand gives back. The browser's own world: its code is text here. */
  const inPage = (code: string, baseUrl: string): Promise<unknown> =>
    page.evaluate(`import('@orchestratord/client').then(async ({ createClient, ApiError }) => {
      const client = createClient({ baseUrl: ${JSON.stringify(baseUrl)}, key: ${JSON.stringify(keys.all)} })
      ${code}
    })`)
  const request = "{ model_ref: 'mock:v1', prompt: 'Hello', seed: 5 }"

  it('yields the uninterrupted text though its connection is cut at every frame', async () => {
    const undisturbed = await inPage(`return client.tasks.run(${request}).text()`, daemon.url)
    assert.match(String(undisturbed), /\w+ \w+/)
    assert.equal(await inPage(`return client.tasks.run(${request}).text()`, proxy.url), undisturbed)
    assert.ok(proxy.cuts >= 8, String(proxy.cuts))
  })

  it('cancels by leaving the loop', async () => {
    const task_id = await inPage(
      `const run = client.tasks.run({ model_ref: 'mock:slow', prompt: 'Hello' })
       for await (const { event } of run) if (event === 'metrics') break
       return run.task_id`,
      daemon.url,
    )
    assert.equal(await inPage(`return (await client.tasks.get(${JSON.stringify(task_id)})).state`, daemon.url), 'canceled')
  })

  it('reads errors of another origin', async () => {
    const code =
      "return client.pools.health('none').catch((error) => [error instanceof ApiError, error.status, error.code, error.correlation_id !== undefined])"
    assert.deepEqual(await inPage(code, daemon.url), [true, 404, 'NOT_FOUND', true])
  })
})

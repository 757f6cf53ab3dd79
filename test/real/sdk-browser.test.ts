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

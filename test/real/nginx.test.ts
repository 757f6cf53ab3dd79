import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mockTask } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { post } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { withEngine } from '../harness/real-engines.ts'
import { StreamClient } from '../harness/sse.ts'

/** What Debian's package has in its configuration, without its modules, and a place that passes everything on as it does by default. */
const configuration = (dir: string, port: number, daemon: string): string => `
daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 768; }
http {
  sendfile on;
  tcp_nopush on;
  gzip on;
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${daemon}; }
  }
}
`

withEngine('nginx', 'behind nginx as it is installed', () => {
  const clock = new FakeClock()
  const dir = temporaryDir()
  let daemon: TestDaemon
  let nginx: EngineProcess
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool({ mock: { prefill_ms: 0, token_ms: 1000, tokens: 8 } })] }, { clock })
    const command = (port: number) => {
      const file = join(dir.path, 'nginx.conf')
      writeFileSync(file, configuration(dir.path, port, daemon.url))
      return { argv: ['/usr/sbin/nginx', '-p', dir.path, '-c', file] }
    }
    nginx = await EngineProcess.start(command, '/healthz')
  })
  after(async () => {
    await nginx.stop()
    await daemon.stop()
    dir.remove()
  })

  it('the feed and a stream bring each event at once, while the connection stays open', async () => {
    const feed = await StreamClient.events(nginx.url, keys.all)
    await feed.until(({ frames }) => frames.some(({ event }) => event === 'snapshot'))
    await post(nginx.url, keys.data, mockTask({ task_id: 'passed-on' }))
    const stream = await StreamClient.open(nginx.url, 'passed-on', keys.data)
    // Nothing more is said before time goes on: what came before has to be there.
    for (let tokens = 1; tokens < 5; tokens++) {
      await clock.advance(1000)
      await stream.until(({ frames }) => frames.filter(({ event }) => event === 'token').length >= tokens)
      await feed.until(({ raw }) => raw.includes('"task_id":"passed-on"'))
    }
    assert.equal(stream.response.complete, false)
    assert.equal(feed.response.complete, false)
    assert.match(String(feed.response.headers['server']), /^nginx/)
    for (const { response } of [feed, stream]) response.destroy()
  })
})

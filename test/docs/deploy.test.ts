import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'
import { variableNames } from '../../src/config/environment.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const read = (file: string): string => readFileSync(join(deploy, file), 'utf8')

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly depends_on?: readonly string[]
  readonly ports?: readonly string[]
}

/** Nothing here can run a container: what can be read wrong is looked for. */
describe('what is in deploy/', () => {
  it('has a Dockerfile in which a linter finds nothing, which runs as nobody and says how it fares', () => {
    const text = read('Dockerfile')
    assert.deepEqual(validate(text), [])
    const last = text.slice(text.lastIndexOf('\nFROM '))
    assert.match(last, /^USER [1-9]\d*$/m)
    assert.match(last, /^HEALTHCHECK /m)
    for (const [, image = ''] of text.matchAll(/^FROM (\S+)/gm)) assert.match(image, /:\d/, 'an image without a version')
  })

  it('has a compose file whose files, volumes, services and images are there', () => {
    const { services, volumes } = parse(read('compose.yaml')) as {
      services: Readonly<Record<string, Service>>
      volumes: Readonly<Record<string, unknown>>
    }
    for (const [name, { image, build, volumes: mounts = [], depends_on = [], ports = [] }] of Object.entries(services)) {
      if (build === undefined) assert.match(image ?? '', /:v?\d+\.\d+/, name)
      else assert.ok(existsSync(join(deploy, build.context, build.dockerfile)), name)
      for (const mount of mounts) {
        const [from = ''] = mount.split(':')
        assert.ok(from.startsWith('.') ? existsSync(join(deploy, from)) : from in volumes, `${name}: ${mount}`)
      }
      for (const other of depends_on) assert.ok(other in services, `${name}: ${other}`)
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, `${name} is open to everybody`)
    }
  })

  it('sets no variable that the daemon does not know', () => {
    const known = variableNames.map(([name]) => name)
    for (const file of ['Dockerfile', 'compose.yaml', 'systemd/orchestratord.service'])
      for (const [name] of read(file).matchAll(/\bORCHD_\w+/g)) assert.ok(known.includes(name), `${file}: ${name}`)
  })
})

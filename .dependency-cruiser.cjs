'use strict'

const { existsSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

/**
 * What each room may import of ours, beside itself (docs: CONTRIBUTING.md). A room is a folder with all that is in it, or the files of a
 * folder and nothing below it (`services/*`). A file in a room that nobody listed may import nothing of ours.
 */
const shared = ['ports', 'domain', 'generated']
const adapter = shared
/** What engines over HTTP share, and what engines in processes share. */
const common = ['http', 'process']
const isFolder = (entry) => entry.isDirectory() && !common.includes(entry.name)
/** Every engine is a room of its own; what they share are rooms that the others may use. */
const folder = join(__dirname, 'src/adapters/engines')
const engines = (existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [])
  .filter(isFolder)
  .map(({ name }) => [`adapters/engines/${name}`, ['adapters/engines/http', 'adapters/engines/process', ...adapter]])
const rooms = {
  domain: ['generated'],
  ports: ['domain', 'generated'],
  'doors/native': ['domain', 'generated'],
  'doors/common': ['domain', 'generated'],
  'doors/anthropic': ['doors/common', 'domain', 'generated'],
  'doors/openai': ['doors/common', 'domain', 'generated'],
  'services/*': shared,
  'services/telemetry': ['services/*', ...shared],
  'services/sessions': ['services/*', ...shared],
  'services/catalog': ['services/*', ...shared],
  'services/pools': ['services/sessions', 'services/*', ...shared],
  'services/tasks': ['services/pools', 'services/sessions', 'services/*', ...shared],
  'services/batches': ['services/tasks', 'services/*', ...shared],
  'services/feed': ['services/tasks', 'services/pools', 'services/*', ...shared],
  'services/operations': ['services/tasks', 'services/pools', 'services/sessions', 'services/catalog', 'services/*', ...shared],
  'handlers/*': ['handlers', 'doors/common', 'services', 'domain', 'generated'],
  'handlers/native': ['handlers/*', 'doors/native', 'services', 'domain', 'generated'],
  'handlers/anthropic': ['handlers/*', 'doors/anthropic', 'doors/common', 'services', 'domain', 'generated'],
  'handlers/openai': ['handlers/*', 'doors/openai', 'doors/common', 'services', 'domain', 'generated'],
  middleware: ['domain', 'generated'],
  http: ['handlers', 'doors', 'middleware', ...shared],
  config: ['domain', 'generated', 'contracts'],
  'adapters/embedded': adapter,
  'adapters/models': adapter,
  'adapters/prometheus': adapter,
  'adapters/system': adapter,
  'adapters/engines/*': ['adapters/engines', ...adapter],
  'adapters/engines/http': ['adapters/engines/process', ...adapter],
  'adapters/engines/process': adapter,
  ...Object.fromEntries(engines),
  compose: ['config', 'adapters', 'services', 'handlers', 'http', 'doors', 'middleware', ...shared],
  '*': ['compose', 'config', 'http'],
}

/** A regular expression for the files of a room. */
const pathOf = (room) => {
  if (room === 'generated' || room === 'contracts') return `^${room}/`
  return room === '*' ? '^src/[^/]+$' : room.endsWith('/*') ? `^src/${room.slice(0, -2)}/[^/]+$` : `^src/${room}/`
}

const ours = '^(src|cli|sdk|web|generated|contracts|scripts|test|bench)/'

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'node-llama-cpp is optional for users; the child says how to install it.',
      severity: 'error',
      from: { path: '^(src|cli)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node-llama-cpp' },
    },
    {
      name: 'domain-is-pure',
      comment: 'No I/O and no clock below ports.',
      severity: 'error',
      from: { path: '^src/(domain|doors)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|net)$' },
    },
    {
      name: 'sqlite-stays-in-its-adapter',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/embedded/' },
      to: { path: '^(node:)?sqlite$' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'It is published by itself: nothing of ours, nothing of Node, and one dependency.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { pathNot: '^(sdk/|node_modules/openapi-fetch/)' },
    },
    {
      name: 'the-page-asks-by-the-sdk',
      comment: 'Nothing of ours but the client, and nothing of Node.',
      severity: 'error',
      from: { path: '^web/' },
      to: { pathNot: '^(web/|sdk/src/index.ts$|node_modules/(preact|@preact/signals|@preact/signals-core|uplot|vite)/)' },
    },
    { name: 'nothing-stands-on-the-page', severity: 'error', from: { path: '^(src|cli|sdk)/' }, to: { path: '^web/' } },
    {
      name: 'commands-ask-by-the-sdk',
      comment:
        'Only what looks at this machine knows the configuration and finds engines; the checks of a contract read it as it is served.',
      severity: 'error',
      from: { path: '^cli/', pathNot: '^cli/machine/' },
      to: { path: ours, pathNot: '^(cli/|sdk/src/index.ts$)' },
    },
    {
      name: 'commands-of-this-machine',
      severity: 'error',
      from: { path: '^cli/machine/' },
      to: { path: ours, pathNot: '^(cli/|src/config/|src/compose/(engines|find-engines).ts$)' },
    },
    { name: 'nothing-stands-on-commands', severity: 'error', from: { path: '^(src|sdk)/' }, to: { path: '^cli/' } },
    {
      name: 'unlisted-rooms-import-nothing',
      comment: 'List the room in .dependency-cruiser.cjs with what it may import.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.keys(rooms).map(pathOf) },
      to: { path: ours },
    },
    ...Object.entries(rooms).map(([room, others]) => ({
      name: `${room.replaceAll('/', '-').replaceAll('*', 'files')}-imports`,
      severity: 'error',
      from: { path: pathOf(room) },
      to: { path: ours, pathNot: [room, ...others].map(pathOf) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(sdk|web)/dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}

'use strict'

/** What each folder may import from the others (docs: CONTRIBUTING.md). Folders that are not listed may import nothing of ours. */
const may = {
  domain: ['domain', 'generated'],
  ports: ['ports', 'domain', 'generated'],
  services: ['services', 'ports', 'domain', 'generated'],
  handlers: ['handlers', 'services', 'domain', 'generated'],
  middleware: ['middleware', 'domain', 'generated'],
  http: ['http', 'handlers', 'middleware', 'ports', 'domain', 'generated'],
  'adapters/embedded': ['adapters/embedded', 'ports', 'domain', 'generated'],
  'adapters/models': ['adapters/models', 'ports', 'domain', 'generated'],
  'adapters/prometheus': ['adapters/prometheus', 'ports', 'domain', 'generated'],
  'adapters/system': ['adapters/system', 'ports', 'domain', 'generated'],
  'adapters/engines/mock': ['adapters/engines/mock', 'ports', 'domain', 'generated'],
  'adapters/engines/llamacpp': ['adapters/engines/llamacpp', 'ports', 'domain', 'generated'],
}

const pathOf = (folder) => (folder === 'generated' ? '^generated/' : `^src/${folder}/`)

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'node-llama-cpp is optional for users; the child says how to install it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node-llama-cpp' },
    },
    {
      name: 'domain-is-pure',
      comment: 'No I/O and no clock below ports.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|net)$' },
    },
    {
      name: 'sqlite-stays-in-its-adapter',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/embedded/' },
      to: { path: '^(node:)?sqlite$' },
    },
    ...Object.entries(may).map(([folder, others]) => ({
      name: `${folder.replaceAll('/', '-')}-imports`,
      severity: 'error',
      from: { path: pathOf(folder) },
      to: { path: '^(src|generated|contracts|scripts|test)/', pathNot: others.map(pathOf) },
    })),
    { name: 'src-does-not-import-tests', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts|bench)/' } },
    {
      name: 'adapters-only-in-compose',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(compose/|adapters/)' },
      to: { path: '^src/adapters/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}

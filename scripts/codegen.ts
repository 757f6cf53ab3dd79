/**
 * Contracts -> generated/ and sdk/generated/. `npm run codegen` writes, `npm run codegen -- --check` fails on drift.
 * Same input, same bytes: nothing here depends on time, locale or file order.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { engines } from '../src/adapters/engines/registry.ts'
import { apiTypes, clientTypes, doorMap, doorTypes, operationMap } from './codegen/api.ts'
import { bundle, doorDocument, doors } from './codegen/bundle.ts'
import { clientView, onlyTagged } from './codegen/client-view.ts'
import { configTypes, engineTable } from './codegen/config.ts'
import { configSchema, definitionsOf } from './codegen/config-schema.ts'
import { driftOf } from './codegen/drift.ts'
import { metricTypes } from './codegen/metrics.ts'
import { configValidator, configValidatorTypes } from './codegen/config-validator.ts'
import {
  bodyValidators,
  bodyValidatorTypes,
  doorValidatorTypes,
  parameterValidators,
  parameterValidatorTypes,
  validated,
} from './codegen/request-validators.ts'

async function generate(): Promise<Map<string, string>> {
  const document = bundle()
  const ofDoors = new Map(doors.map((door) => [door, doorDocument(door)] as const))
  const view = clientView(document)
  const requests = validated(document)
  const doorFiles = await Promise.all(
    Array.from(ofDoors, async ([door, contract]): Promise<[string, string][]> => [
      [`${door}.json`, `${JSON.stringify(contract, null, 1)}\n`],
      [`${door}-client.json`, `${JSON.stringify(clientView(contract), null, 1)}\n`],
      [`${door}.ts`, await doorTypes(door, contract)],
      [`${door}-bodies.js`, bodyValidators(validated(contract, door))],
      [`${door}-bodies.d.ts`, doorValidatorTypes('bodies')],
      [`${door}-parameters.js`, parameterValidators(validated(contract, door))],
      [`${door}-parameters.d.ts`, doorValidatorTypes('parameters')],
    ]),
  )
  const definitions = await definitionsOf(engines)
  const config = configSchema(definitions)
  const files: (readonly [string, string])[] = [
    ['openapi.json', `${JSON.stringify(document, null, 1)}\n`],
    ['openapi-client.json', `${JSON.stringify(view, null, 1)}\n`],
    ['api.ts', await apiTypes(document)],
    ['operations.ts', operationMap(document)],
    ['doors.ts', doorMap(ofDoors)],
    ...doorFiles.flat(),
    ['bodies.js', bodyValidators(requests)],
    ['bodies.d.ts', bodyValidatorTypes()],
    ['parameters.js', parameterValidators(requests)],
    ['parameters.d.ts', parameterValidatorTypes()],
    ['metrics.ts', metricTypes()],
    ['config.ts', await configTypes(config)],
    ['config.schema.json', `${JSON.stringify(config, null, 1)}\n`],
    ['engines.ts', engineTable(definitions)],
    ['config-validator.js', configValidator(config)],
    ['config-validator.d.ts', configValidatorTypes()],
  ]
  return new Map([
    ...files.map(([name, text]) => [`generated/${name}`, text] as const),
    ['sdk/generated/contract.ts', await clientTypes(view)],
    ['sdk/generated/batches.ts', await clientTypes(clientView(onlyTagged(doorDocument('openai'), 'batches')))],
  ])
}

const root = join(import.meta.dirname, '..')
const folders = ['generated', 'sdk/generated']
const files = await generate()
if (process.argv.includes('--check')) {
  const drift = driftOf(root, folders, files)
  if (drift.length > 0) {
    console.error(`what is generated is out of date: ${drift.join(', ')}. Run: npm run codegen`)
    process.exit(1)
  }
  console.log(`what is generated matches the contracts (${files.size} files)`)
} else {
  for (const folder of folders) {
    rmSync(join(root, folder), { recursive: true, force: true })
    mkdirSync(join(root, folder), { recursive: true })
  }
  for (const [name, text] of files) writeFileSync(join(root, name), text)
  console.log(`wrote ${files.size} files to ${folders.join(' and ')}`)
}

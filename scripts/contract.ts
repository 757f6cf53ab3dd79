/**
 * `npm run contract`: the contracts are well made (Redocly's recommended rules and ours), generated/ matches them, and they break no client of
 * the last released contract unless the major version rises.
 * `npm run contract:release` keeps the present contract as released; `-- --replace` overwrites one that nobody has yet.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contractFiles, doors } from './codegen/bundle.ts'
import { lintContracts } from './contract/lint.ts'
import { doorRules, houseRules } from './contract/rules.ts'
import { judge, newestReleased, readContract } from '../cli/contract/released.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'contracts/released')
const bundle = join(root, 'generated/openapi.json')

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}

async function check(): Promise<void> {
  const at = (name: string): string => join(root, 'contracts/openapi', name)
  const ours = await lintContracts(root, contractFiles.map(at), houseRules)
  const ofDoors = await lintContracts(
    root,
    doors.map((door) => at(`${door}.yaml`)),
    doorRules,
  )
  const problems = [...ours, ...ofDoors]
  for (const problem of problems) fail(problem)
  console.log(`contracts: ${problems.length} problem(s)`)
  // Without arguments of ours it only compares; its own process because it is a program, not a module.
  if (spawnSync(process.execPath, [join(root, 'scripts/codegen.ts'), '--check'], { stdio: 'inherit' }).status !== 0) process.exitCode = 1
}

function compare(): void {
  const released = newestReleased(folder)
  if (released === undefined) {
    fail('contracts/released is empty. Run: npm run contract:release')
    return
  }
  const current = readContract(bundle)
  const { breaking, refused } = judge(released, current)
  for (const { where, what } of breaking) console.log(`breaking: ${where}: ${what}`)
  if (refused !== undefined) fail(refused)
  else
    console.log(
      `${current.version} against released ${released.version}: ${breaking.length === 0 ? 'breaks no client' : 'breaks clients, and the major version rises'}`,
    )
}

function release(replace: boolean): void {
  const { version } = readContract(bundle)
  const file = join(folder, `openapi-${version}.json`)
  if (existsSync(file) && readFileSync(file, 'utf8') !== readFileSync(bundle, 'utf8') && !replace)
    fail(`${version} is released and differs: raise the version, the minor one where clients of ${version} are not broken`)
  else {
    copyFileSync(bundle, file)
    console.log(`released ${version}: contracts/released/openapi-${version}.json`)
  }
}

await check()
const releasing = process.argv.includes('--release')
if (releasing && process.exitCode === undefined) release(process.argv.includes('--replace'))
if (!releasing || process.exitCode === undefined) compare()

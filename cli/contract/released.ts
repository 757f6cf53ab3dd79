import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contract, type JsonObject } from './document.ts'
import { breakingChanges, type Finding } from './diff.ts'

/** `major.minor.patch` as numbers. @throws Error where it is anything else */
export function parseVersion(version: string): readonly [number, number, number] {
  const [, major, minor, patch] = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(version) ?? []
  if (patch === undefined) throw new Error(`${version} is not of the form major.minor.patch`)
  return [Number(major), Number(minor), Number(patch)]
}

/** Negative where `a` came before `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2]
}

/** Reads a bundled contract. */
export const readContract = (file: string): Contract => new Contract(JSON.parse(readFileSync(file, 'utf8')) as JsonObject)

/** The newest released contract, `openapi-<version>.json`; undefined where nothing was released. @throws Error where a file is not what its name says */
export function newestReleased(folder: string): Contract | undefined {
  const versions = readdirSync(folder).flatMap((name) => /^openapi-(.+)\.json$/.exec(name)?.slice(1) ?? [])
  const newest = versions.sort(compareVersions).at(-1)
  if (newest === undefined) return undefined
  const contract = readContract(join(folder, `openapi-${newest}.json`))
  if (contract.version !== newest) throw new Error(`openapi-${newest}.json holds version ${contract.version}`)
  return contract
}

/** What a change of the contract means for its clients, and whether it may be made under this version. */
export interface Verdict {
  readonly breaking: readonly Finding[]
  /** Why it may not be made; undefined where it may. */
  readonly refused?: string
}

/** Judges a contract against the last released one: what breaks clients needs a new major version. */
export function judge(released: Contract, current: Contract): Verdict {
  const breaking = breakingChanges(released, current)
  if (compareVersions(current.version, released.version) < 0)
    return { breaking, refused: `the version ${current.version} is below the released ${released.version}` }
  const rises = parseVersion(current.version)[0] > parseVersion(released.version)[0]
  return breaking.length > 0 && !rises
    ? {
        breaking,
        refused: `${breaking.length} breaking change(s) against ${released.version}: mend them or raise the major version in contracts/openapi/*.yaml`,
      }
    : { breaking }
}

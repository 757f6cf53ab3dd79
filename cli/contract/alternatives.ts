/** Whether a value can fit two schemas at once. */
import { type Contract, type Json, listOf, objectOf } from './document.ts'
import { sameJson } from './same.ts'

/** So deep required fields are looked into: a schema that requires itself would never end. */
const maxDepth = 8

/** Whether no value fits two of them. Says no where it cannot tell. */
export const allToldApart = (contract: Contract, alternatives: readonly Json[]): boolean =>
  alternatives.every((one, index) => alternatives.slice(index + 1).every((other) => toldApart(contract, one, other, 0)))

/** Told apart by their types, by their enums, or by a field that both require. */
function toldApart(contract: Contract, one: Json | undefined, other: Json | undefined, depth: number): boolean {
  const [a, b] = [contract.resolve(one) ?? {}, contract.resolve(other) ?? {}]
  if (a['nullable'] === true && b['nullable'] === true) return false
  const [types, enums] = [
    [a['type'], b['type']],
    [a['enum'], b['enum']],
  ]
  if (types.some((type) => typeof type !== 'string')) return false
  if (types[0] !== types[1]) return !types.every((type) => type === 'integer' || type === 'number')
  if (enums.every(Array.isArray)) return !listOf(enums[0]).some((value) => listOf(enums[1]).some((twin) => sameJson(value, twin)))
  if (types[0] !== 'object' || depth === maxDepth) return false
  return listOf(a['required']).some(
    (name) =>
      typeof name === 'string' &&
      listOf(b['required']).includes(name) &&
      toldApart(contract, objectOf(a['properties'])[name], objectOf(b['properties'])[name], depth + 1),
  )
}

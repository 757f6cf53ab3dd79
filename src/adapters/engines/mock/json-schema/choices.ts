import { random } from '../words.ts'
import { isObject } from './schema.ts'

/** Which of several schemas or types is taken: attempt after attempt every combination, in an order that the seed gives. */
export class Choices {
  private readonly next: () => number
  private readonly simple: boolean
  private left: number
  /** Something had to be chosen. */
  made = false

  /** @param simple the simplest first, so that a schema that contains itself comes to an end */
  constructor(seed: number, attempt: number, simple: boolean) {
    this.next = random(seed)
    this.left = attempt
    this.simple = simple
  }

  /** Index of the one to take. @throws RangeError where there is none */
  pick(options: readonly unknown[]): number {
    const { length } = options
    if (length === 0) throw new RangeError('there is nothing to choose from')
    if (length > 1) this.made = true
    const step = this.left % length
    this.left = Math.floor(this.left / length)
    const offset = Math.floor(this.next() * length)
    if (!this.simple) return (offset + step) % length
    const order = options.map((option, index) => ({ index, weight: weightOf(option) })).sort((a, b) => a.weight - b.weight)
    return order[step]?.index ?? 0
  }
}

/** How far a schema or a type may lead. */
function weightOf(option: unknown): number {
  if (option === 'array' || option === 'object') return 1
  if (!isObject(option)) return 0
  if ('const' in option || 'enum' in option) return 0
  if ('$ref' in option || 'allOf' in option || 'anyOf' in option || 'oneOf' in option) return 3
  return 'properties' in option || 'items' in option || option['type'] === 'object' || option['type'] === 'array' ? 2 : 0
}

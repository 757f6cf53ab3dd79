import { DomainError } from './errors.ts'

/** Deepest that JSON of a client may be nested, levels. Whoever writes a deeper one, or walks through it, may run out of stack. */
export const deepest = 200

/** @throws DomainError invalid_params where a body is nested too deep */
export function checkNesting(body: unknown): void {
  if (isDeeper(body, deepest)) throw new DomainError('invalid_params', `body: is nested deeper than ${deepest} levels; flatten it`)
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

import { DomainError } from '../../../domain/errors.ts'

/** Refuses a field of the body. @throws DomainError invalid_params, always */
export function refuse(field: string, rule: string): never {
  throw new DomainError('invalid_params', `body.${field}: ${rule}`)
}

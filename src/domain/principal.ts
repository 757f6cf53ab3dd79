import { DomainError } from './errors.ts'

/** What a key may do: send work, or run the daemon. */
export type Role = 'data' | 'control'

/** Who makes a request: a configured key. */
export interface Principal {
  /** Name of the key; owner of what it creates. */
  readonly name: string
  readonly roles: readonly Role[]
}

/** Whether a header can carry a key, as `X-API-Key` and as `Authorization: Bearer`: visible ASCII characters, no spaces. */
export const isSendable = (key: string): boolean => /^[\x21-\x7e]{1,4096}$/.test(key)

/** Whether it runs the daemon, and so is told whose things are. */
export const controls = (principal: Principal): boolean => principal.roles.includes('control')

/**
 * The principal as the owner that a request names, whose things it may reach with the role `control`; itself where none is named.
 * @throws DomainError forbidden
 */
export function actingFor(principal: Principal, owner = principal.name): Principal {
  if (owner === principal.name) return principal
  if (controls(principal)) return { ...principal, name: owner }
  throw new DomainError(
    'forbidden',
    `query.owner: another key's things need the role control, which the key ${principal.name} does not have.`,
  )
}

/**
 * Whose things a list shows: the principal's own, or with the role `control` everybody's (undefined) unless an owner is named.
 * @throws DomainError forbidden
 */
export const ownersListed = (principal: Principal, owner?: string): string | undefined =>
  owner === undefined && controls(principal) ? undefined : actingFor(principal, owner).name

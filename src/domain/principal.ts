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

/** Whose things a principal may see: only its own, or with the role `control` everybody's (undefined). */
export const visibleOwner = (principal: Principal): string | undefined => (principal.roles.includes('control') ? undefined : principal.name)

/** The same key with its own things alone, also where its role lets it see everybody's. */
export const asOwner = (principal: Principal): Principal => ({ ...principal, roles: ['data'] })

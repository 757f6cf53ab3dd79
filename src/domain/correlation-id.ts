import { randomUUID } from 'node:crypto'

/** The client's id if it is 1 to 128 visible ASCII characters, else a new UUID. */
export const correlationIdFrom = (given: string | undefined): string =>
  given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()

import type { Services } from '../../src/handlers/services.ts'

/** Every method of a service throws what nobody foresaw. */
const throwing = <T extends object>(service: T): T =>
  new Proxy(service, {
    get: () => () => {
      throw new Error('a secret detail')
    },
  })

/** Services of which nothing works. */
export const broken = (services: Services): Services =>
  Object.fromEntries(Object.entries(services).map(([name, service]) => [name, throwing(service as object)])) as unknown as Services

import { isLoopbackAddress } from '../domain/loopback.ts'

/** Host and port of `listen`. */
export function splitListen(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) }
}

/** Whether the address to listen on can only be reached from this machine. */
export const listensOnLoopback = (listen: string): boolean => {
  const { host } = splitListen(listen)
  return host === 'localhost' || isLoopbackAddress(host)
}

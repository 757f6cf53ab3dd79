import { ConfigError } from './problem.ts'

/** A server that the command line or the environment names: `URL`, or `URL#MODEL` where it serves several. */
export interface NamedEngine {
  /** `--engine` or `ORCHD_ENGINES`. */
  readonly source: string
  readonly url: string
  readonly model?: string
  /** The key that it wants, where one is known. */
  readonly api_key?: string | undefined
}

/** Reads `URL` or `URL#MODEL`. @throws ConfigError where it is no URL of a server */
export function namedEngine(source: string, text: string): NamedEngine {
  const [url = '', ...rest] = text.trim().split('#')
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '' || parsed.search !== '')
    throw new ConfigError([`${source}: ${JSON.stringify(hidden(text))} is not the URL of a server, such as http://127.0.0.1:8081`])
  const model = rest.join('#')
  return { source, url: url.replace(/\/+$/, ''), ...(model === '' ? {} : { model }) }
}

const hidden = (text: string): string => text.replace(/\/\/.*@/, '//...@')

/** What a message calls it. */
export const engineText = ({ source, url, model }: NamedEngine): string => `${source} ${url}${model === undefined ? '' : `#${model}`}`

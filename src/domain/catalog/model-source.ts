import { DomainError } from '../errors.ts'

/** Where a model's files come from. */
export type ModelSource =
  /** Relative to models_dir. */
  | { readonly scheme: 'file'; readonly path: string }
  | { readonly scheme: 'https'; readonly url: URL }
  | { readonly scheme: 'hf'; readonly repo: string; readonly revision: string }

/** Folder below models_dir that holds what the daemon fetched: `<id>/files/...` once complete, `<id>/parts/...` until then. */
export const storeFolder = '.catalog'

const maxSegmentBytes = 255

/** What makes a relative path unfit to name a file below a folder on every file system; undefined where nothing does. */
export function pathProblem(path: string): string | undefined {
  if (!path.isWellFormed()) return 'holds half of a surrogate pair'
  if (/[\0-\x1f\x7f]/.test(path)) return 'holds a control character'
  if (path.includes('\\')) return 'holds a backslash; separate folders by /'
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute; it must be relative'
  for (const segment of path.split('/')) {
    if (segment === '') return 'holds an empty segment; it must not begin or end with / or hold //'
    if (segment === '.' || segment === '..') return `holds ${segment}; name the file plainly`
    if (Buffer.byteLength(segment) > maxSegmentBytes) return `holds a segment of more than ${maxSegmentBytes} bytes`
  }
  return undefined
}

/**
 * Reads a reference: `file:<path below models_dir>` (a leading `models/` stands for models_dir), `https://...`, or
 * `hf:<org>/<repo>[@revision]`.
 * @param field the field it stands in, for the message
 * @throws DomainError invalid_params for any other reference
 */
export function parseModelSource(reference: string, field: string): ModelSource {
  const refuse = (rule: string): DomainError => new DomainError('invalid_params', `${field}: ${rule}`)
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(reference)?.[1]
  const rest = reference.slice((scheme?.length ?? 0) + 1)
  if (scheme === 'file') {
    const path = rest.replace(/^(\.\/)?models\//, '')
    const problem = pathProblem(path)
    if (problem !== undefined) throw refuse(`the path ${problem} (file: takes a path below models_dir)`)
    if (path.split('/')[0]?.toLowerCase() === storeFolder) throw refuse(`${storeFolder} is the daemon's own; name a file outside of it`)
    return { scheme, path }
  }
  if (scheme === 'hf') {
    const parts = /^([A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{0,254}))?$/.exec(rest)
    const [, repo, revision = 'main'] = parts ?? []
    if (repo === undefined || rest.includes('..')) throw refuse('must be hf:<org>/<repo> or hf:<org>/<repo>@<revision>')
    return { scheme, repo, revision }
  }
  if (scheme === 'https') return { scheme, url: parseHttps(reference, refuse) }
  throw refuse(`must begin with file:, https: or hf:${scheme === undefined ? '' : `; ${scheme}: is not supported`}`)
}

function parseHttps(reference: string, refuse: (rule: string) => DomainError): URL {
  const url = /^https:\/\/[^/\\]/.test(reference) ? URL.parse(reference) : null
  if (url === null) throw refuse('is not a URL; it must be like https://host/path')
  if (url.username !== '' || url.password !== '')
    throw refuse('must not hold a user or a password: everyone who may read the catalog would see them')
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(reference))
    throw refuse('must not hold a query or a fragment: everyone who may read the catalog would see them')
  if (/%(?![0-9A-Fa-f]{2})|%2f|%5c|%00/i.test(url.pathname)) throw refuse('holds a % that does not stand for a character of a name')
  return url
}

/** A source whose last segment is the path of its only file is that file; otherwise the files lie below the source. */
const isFileItself = (last: string, paths: readonly string[]): boolean => paths.length === 1 && paths[0] === last

/** Path of a manifest file relative to models_dir, for a `file:` source. */
export const localPath = (source: string, paths: readonly string[], path: string): string =>
  isFileItself(source.slice(source.lastIndexOf('/') + 1), paths) ? source : `${source}/${path}`

/** Path of a manifest file relative to models_dir, once it has been fetched. */
export const storedPath = (id: string, path: string): string => `${storeFolder}/${id}/files/${path}`

/** Where the bytes of a file are gathered until it is complete, relative to models_dir. @param name index of the manifest file, or `sbom` */
export const partPath = (id: string, name: number | 'sbom'): string => `${storeFolder}/${id}/parts/${name}.part`

/** Where a fetched SBOM is kept, relative to models_dir. */
export const storedSbom = (id: string): string => `${storeFolder}/${id}/sbom`

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/')

/** Where a manifest file is fetched from. @param hf_endpoint origin of the hub, without a trailing slash */
export function remoteUrl(
  source: Exclude<ModelSource, { scheme: 'file' }>,
  paths: readonly string[],
  path: string,
  hf_endpoint: string,
): string {
  if (source.scheme === 'hf') return `${hf_endpoint}/${source.repo}/resolve/${encodeURIComponent(source.revision)}/${encoded(path)}`
  const base = source.url.href.replace(/\/+$/, '')
  const last = safeDecode(source.url.pathname.slice(source.url.pathname.lastIndexOf('/') + 1))
  return isFileItself(last, paths) ? source.url.href : `${base}/${encoded(path)}`
}

function safeDecode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

import { fetchAttempts, fetchDelayMs, jittered } from '../../domain/backoff.ts'
import { totalBytes, type CatalogModelRequest } from '../../domain/catalog/catalog.ts'
import { parseModelSource, partPath, remoteUrl, storedPath, storedSbom } from '../../domain/catalog/model-source.ts'
import { pause, type Clock } from '../../ports/clock.ts'
import type { ModelFiles } from '../../ports/model-files.ts'
import { FetchError, type ModelSource, type WantedFile } from '../../ports/model-source.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { catalogNotice } from './notice.ts'

/** Largest SBOM that is fetched, bytes. */
export const maxSbomBytes = 16 * 1024 * 1024
/** A download that has grown by this much since its last failure is not stuck, bytes. */
const progress_bytes = 1024 * 1024

/** What fetching works with. */
export interface FetchingParts {
  readonly source: ModelSource
  readonly files: Pick<ModelFiles, 'find'>
  readonly clock: Clock
  readonly events: EventSink
  /** Origin of the hub of `hf:` references. */
  readonly hf_endpoint: string
  /** Spreads the attempts of downloads, 0 to 1. */
  readonly jitter: () => number
}

/** The manifest files that have to be fetched: none where they are local. */
export function wantedFiles(request: CatalogModelRequest, hf_endpoint: string): WantedFile[] {
  const { id, manifests } = request
  const source = parseModelSource(request.source_url, 'source_url')
  if (source.scheme === 'file') return []
  const paths = manifests.map(({ path }) => path)
  return manifests.map(({ path, digest, size_bytes }, i) => {
    const url = remoteUrl(source, paths, path, hf_endpoint)
    return { name: path, url, digest, size_bytes, max_bytes: size_bytes, part: partPath(id, i), target: storedPath(id, path) }
  })
}

/** The SBOM where it has to be fetched: undefined where there is none or it is local. */
export function wantedSbom({ id, sbom }: CatalogModelRequest): WantedFile | undefined {
  if (sbom === undefined || sbom.uri.startsWith('file:')) return undefined
  return { name: 'sbom', url: sbom.uri, digest: sbom.digest, max_bytes: maxSbomBytes, part: partPath(id, 'sbom'), target: storedSbom(id) }
}

/**
 * Fetches what a model lacks, file by file; what is here already stays.
 * @param onBytes bytes of the model's files on this machine
 * @throws FetchError when trying again does not help, or has not; the signal's reason where it aborts
 */
export async function fetchModel(
  request: CatalogModelRequest,
  parts: FetchingParts,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { files, events, hf_endpoint } = parts
  const total = totalBytes(request)
  let before = 0
  let tenths = 0
  for (const file of wantedFiles(request, hf_endpoint)) {
    const report = (bytes: number): void => {
      onBytes(before + bytes)
      const now = total === 0 ? 10 : Math.floor(((before + bytes) * 10) / total)
      if (now > tenths)
        events.emit(
          catalogNotice('info', request.id, `Model ${request.id}: ${now * 10} % is here.`, {
            bytes_done: before + bytes,
            bytes_total: total,
          }),
        )
      tenths = now
    }
    const present = await files.find(file.target).catch(() => undefined)
    if (present?.size_bytes !== file.size_bytes) await fetchFile(request.id, file, parts, report, signal)
    before += file.max_bytes
    report(0)
  }
}

/** Fetches the SBOM where it is remote and not here yet. Returns why it could not be had; rejects only with the signal's reason. */
export async function fetchSbom(request: CatalogModelRequest, parts: FetchingParts, signal: AbortSignal): Promise<string | undefined> {
  const file = wantedSbom(request)
  if (file === undefined) return undefined
  try {
    await parts.files.find(file.target)
    return undefined
  } catch {
    // Not here yet.
  }
  try {
    await fetchFile(request.id, file, parts, () => undefined, signal)
    return undefined
  } catch (error) {
    if (signal.aborted) throw error
    return error instanceof FetchError ? error.message : 'sbom: cannot be fetched'
  }
}

async function fetchFile(
  id: string,
  file: WantedFile,
  { source, clock, events, jitter }: FetchingParts,
  report: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let bytes = 0
  let at_failure = 0
  let failures = 0
  for (;;) {
    try {
      await source.fetch(
        file,
        (now) => {
          bytes = now
          report(now)
        },
        signal,
      )
      return
    } catch (error) {
      if (signal.aborted || !(error instanceof FetchError) || error.kind !== 'transient') throw error
      failures = bytes - at_failure >= progress_bytes ? 1 : failures + 1
      at_failure = bytes
      if (failures >= fetchAttempts) throw error
      const delay_ms = Math.round(jittered(fetchDelayMs(failures), jitter()))
      events.emit(
        catalogNotice('warn', id, `Model ${id}: ${error.message}; tried again in ${delay_ms} ms.`, {
          file: file.name,
          bytes_done: bytes,
          delay_ms,
          err: error,
        }),
      )
      await pause(clock, delay_ms, signal)
    }
  }
}

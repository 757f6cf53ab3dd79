import { checkCatalogRequest, type CatalogModelRequest } from '../../domain/catalog/catalog.ts'
import { DomainError, refuseField } from '../../domain/errors.ts'
import { parseModelSource } from '../../domain/catalog/model-source.ts'
import type { Trust } from '../../domain/catalog/trust.ts'
import { ModelFileError, type ModelFiles } from '../../ports/model-files.ts'
import type { ModelSource } from '../../ports/model-source.ts'
import { wantedFiles, wantedSbom } from './model-fetching.ts'
import { checkSbom, filePaths } from './model-verification.ts'

/** What the check of a new model works with. */
export interface IngestParts {
  readonly files: ModelFiles
  readonly source: Pick<ModelSource, 'refusal'>
  readonly trust: Trust
  readonly hf_endpoint: string
}

/**
 * What has to hold before anything of a model is kept.
 * @throws DomainError invalid_params, naming the field; untrusted where policy strict refuses the model
 */
export async function checkIngest(request: CatalogModelRequest, parts: IngestParts, signal: AbortSignal): Promise<void> {
  const source = checkCatalogRequest(request)
  const { sbom } = request
  const sbomSource = sbom === undefined ? undefined : parseModelSource(sbom.uri, 'body.sbom.uri')
  if (sbomSource?.scheme === 'hf') refuseField('sbom.uri', 'must begin with file: or https:')
  if (request.trust_policy.mode === 'strict') checkStrict(request, parts.trust)
  // All files of a source are on one host.
  const [file] = wantedFiles(request, parts.hf_endpoint)
  for (const [field, url] of [
    ['source_url', file?.url],
    ['sbom.uri', wantedSbom(request)?.url],
  ] as const) {
    const refused = url === undefined ? undefined : parts.source.refusal(url)
    if (refused !== undefined) refuseField(field, refused)
  }
  if (source.scheme === 'file') await checkLocal(request, parts.files)
  if (sbom === undefined || sbomSource?.scheme !== 'file') return
  await parts.files.find(sbomSource.path).catch(asRefusal('sbom.uri'))
  if (request.trust_policy.mode !== 'strict') return
  const finding = await checkSbom(request, parts.files, signal)
  if (finding !== undefined) throw new DomainError('untrusted', `body.${finding.message} (trust policy strict).`)
}

function checkStrict(request: CatalogModelRequest, trust: Trust): void {
  const [finding] = trust.findings(request)
  if (finding !== undefined) throw new DomainError('untrusted', `body.${finding.message} (trust policy strict).`)
  if (request.sbom === undefined) throw new DomainError('untrusted', 'body.sbom: trust policy strict needs one.')
}

async function checkLocal(request: CatalogModelRequest, files: ModelFiles): Promise<void> {
  const paths = filePaths(request)
  for (const [i, { size_bytes }] of request.manifests.entries()) {
    const found = await files.find(paths[i] ?? '').catch(asRefusal(`manifests.${i}.path`))
    if (found.size_bytes !== size_bytes) refuseField(`manifests.${i}.size_bytes`, `the file has ${found.size_bytes} bytes`)
  }
}

const asRefusal =
  (field: string) =>
  (error: unknown): never => {
    if (error instanceof ModelFileError) return refuseField(field, error.message)
    throw error
  }

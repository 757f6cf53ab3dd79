import type { CatalogModelRequest, Verification, VerificationReason } from '../../domain/catalog/catalog.ts'
import { localPath, parseModelSource, storedPath, storedSbom } from '../../domain/catalog/model-source.ts'
import type { Trust } from '../../domain/catalog/trust.ts'
import { ModelFileError, type ModelFiles } from '../../ports/model-files.ts'

/** How a verification ended. */
export type VerificationResult = Pick<Verification, 'reason' | 'message' | 'warnings' | 'stamps'> & { readonly status: 'pass' | 'fail' }

/** A reason against a model. */
interface Finding {
  readonly reason: VerificationReason
  readonly message: string
}

/** Where the files of a model are, relative to models_dir, in the order of its manifest. */
export function filePaths({ id, source_url, manifests }: CatalogModelRequest): string[] {
  const source = parseModelSource(source_url, 'source_url')
  const paths = manifests.map(({ path }) => path)
  return paths.map((path) => (source.scheme === 'file' ? localPath(source.path, paths, path) : storedPath(id, path)))
}

/**
 * Judges a model: each file by its digest, then signatures and SBOM as its trust policy asks.
 * Rejects only with the signal's reason.
 * @param sbom_error why the SBOM could not be fetched, if it could not
 */
export async function verifyModel(
  request: CatalogModelRequest,
  files: ModelFiles,
  trust: Trust,
  sbom_error: string | undefined,
  signal: AbortSignal,
): Promise<VerificationResult> {
  const stamps: string[] = []
  for (const [i, path] of filePaths(request).entries()) {
    const outcome = await checkFile(request.manifests[i], path, files, signal)
    if (typeof outcome !== 'string') return { status: 'fail', ...outcome }
    stamps.push(outcome)
  }
  const sbom: Finding | undefined =
    sbom_error === undefined ? await checkSbom(request, files, signal) : { reason: 'sbom_mismatch', message: sbom_error }
  const findings: Finding[] = [...trust.findings(request), ...(sbom === undefined ? [] : [sbom])]
  const [first] = findings
  if (first === undefined) return { status: 'pass', stamps }
  if (request.trust_policy.mode === 'strict') return { status: 'fail', ...first }
  return { status: 'pass', stamps, warnings: findings.map(({ message }) => message) }
}

/** The stamp of a file that is what the manifest says, or what it is instead. */
async function checkFile(
  expected: CatalogModelRequest['manifests'][number] | undefined,
  path: string,
  files: ModelFiles,
  signal: AbortSignal,
): Promise<string | Finding> {
  if (expected === undefined) throw new RangeError('a path without a manifest entry')
  try {
    const found = await files.find(path)
    // No need to read what cannot be it.
    if (found.size_bytes !== expected.size_bytes)
      return {
        reason: 'size_mismatch',
        message: `${expected.path}: has ${found.size_bytes} bytes, the manifest says ${expected.size_bytes}`,
      }
    const { digest, stamp } = await files.digest(path, signal)
    if (digest !== expected.digest)
      return { reason: 'digest_mismatch', message: `${expected.path}: has digest ${digest}, the manifest says ${expected.digest}` }
    return stamp
  } catch (error) {
    return fileFinding(error, signal)
  }
}

/** What stands against the bill of materials: that there is none, or that it is another one. */
export async function checkSbom({ id, sbom }: CatalogModelRequest, files: ModelFiles, signal: AbortSignal): Promise<Finding | undefined> {
  const reason = 'sbom_mismatch'
  if (sbom === undefined) return { reason, message: 'sbom: there is none' }
  const source = parseModelSource(sbom.uri, 'sbom.uri')
  try {
    const { digest } = await files.digest(source.scheme === 'file' ? source.path : storedSbom(id), signal)
    return digest === sbom.digest ? undefined : { reason, message: `sbom.digest: the SBOM has ${digest}, not ${sbom.digest}` }
  } catch (error) {
    const finding = fileFinding(error, signal)
    return { reason, message: `sbom.uri: ${finding.message}` }
  }
}

function fileFinding(error: unknown, signal: AbortSignal): Finding {
  if (signal.aborted) throw signal.reason
  if (!(error instanceof ModelFileError)) return { reason: 'io_error', message: 'a file cannot be read' }
  return {
    reason: error.kind === 'missing' || error.kind === 'outside' || error.kind === 'not_a_file' ? 'missing_file' : 'io_error',
    message: error.message,
  }
}

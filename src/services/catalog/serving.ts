import { refusalOf, type CatalogRecord } from '../../domain/catalog/catalog.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ModelFiles } from '../../ports/model-files.ts'
import { isPastRetirement, type CatalogEntry } from './jobs.ts'
import { filePaths } from './model-verification.ts'

interface ServingParts {
  readonly files: Pick<ModelFiles, 'find'>
  readonly clock: Clock
}

/**
 * Path of the file an engine loads, once the model's files have passed a verification and still look as they did then.
 * @param verifyAgain has a verification begin unless one runs
 * @throws DomainError where the model is not served, and why
 */
export async function servedPath(entry: CatalogEntry, parts: ServingParts, verifyAgain: () => Promise<void>): Promise<string> {
  checkServable(entry, parts.clock)
  await entry.job?.done
  checkServable(entry, parts.clock)
  if (!(await looksVerified(entry.record, parts.files))) {
    await verifyAgain()
    await entry.job?.done
    checkServable(entry, parts.clock)
    if (!(await looksVerified(entry.record, parts.files)))
      throw new DomainError('pool_unready', `Model ${entry.record.request.id} of the catalog is not verified yet.`)
  }
  const [first = ''] = filePaths(entry.record.request)
  return (await parts.files.find(first)).path
}

/** A retired model may be loaded until its deadline, for what still has to finish on it. */
function checkServable(entry: CatalogEntry, clock: Clock): void {
  const { record } = entry
  const over = record.state === 'Active' || isPastRetirement(entry, clock.now())
  const refusal = refusalOf(over ? record : { ...record, state: 'Active' })
  if (refusal !== undefined) throw refusal
}

async function looksVerified({ request, verification }: CatalogRecord, files: ServingParts['files']): Promise<boolean> {
  if (verification?.status !== 'pass') return false
  const found = await Promise.all(filePaths(request).map((path) => files.find(path).catch(() => undefined)))
  return found.every((file, i) => file !== undefined && file.stamp === verification.stamps?.[i])
}

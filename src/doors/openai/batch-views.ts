import type { components } from '../../../generated/openai.ts'
import type { BatchRecord } from '../../domain/batches/batch.ts'
import type { FileRecord } from '../../domain/batches/file.ts'

type Schemas = components['schemas']

const seconds = (at: number): number => Math.floor(at / 1000)

/** A file as this door shows it. */
export const fileView = ({ file_id, bytes, created_at, filename, purpose }: FileRecord): Schemas['File'] => ({
  ...{ id: file_id, object: 'file', bytes, created_at: seconds(created_at), filename, purpose, status: 'processed' },
})

/** A batch as this door shows it. */
export function batchView(batch: BatchRecord): Schemas['Batch'] {
  const { batch_id, endpoint, input_file_id, status, output_file_id, error_file_id, created_at, expires_at, metadata } = batch
  const at = (name: keyof BatchRecord['at']): number | null => {
    const time = batch.at[name]
    return time === undefined ? null : seconds(time)
  }
  return {
    ...{ id: batch_id, object: 'batch', endpoint, input_file_id, completion_window: '24h', status, output_file_id, error_file_id },
    errors: batch.problems.length === 0 ? null : { object: 'list', data: [...batch.problems] },
    created_at: seconds(created_at),
    expires_at: seconds(expires_at),
    in_progress_at: at('in_progress'),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata,
  }
}

/** A page of things with ids. */
export const listView = <T extends { readonly id: string }>(data: T[], has_more: boolean) => ({
  ...{ object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more },
})

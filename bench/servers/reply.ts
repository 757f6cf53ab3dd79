/** The 202 of the reference servers: as large as the real one. */
export const acceptedReply = (task_id: string): Record<string, unknown> => ({
  task_id,
  queue_position: 12,
  predicted_start_ms: 3456,
  backoff_ms: 3456,
  pool_id: 'mock',
  accepted_at: new Date().toISOString(),
})

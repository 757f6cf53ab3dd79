import type { Notice } from '../../domain/daemon-events.ts'

/** What there is to tell of a catalog model. */
export const catalogNotice = (level: Notice['level'], model_id: string, message: string, fields: Notice['fields'] = {}): Notice => ({
  type: 'notice',
  level,
  event: 'catalog',
  message,
  fields: { model_id, ...fields },
})

import { batchView, listView } from '../../doors/openai/batch-views.ts'
import type { Batches } from '../../services/batches/batches.ts'
import type { Handlers } from '../handler.ts'

type BatchCall = 'createBatch' | 'listBatches' | 'retrieveBatch' | 'cancelBatch'

/** /v1/batches: a key sees its own. */
export const batchHandlers = ({ batches }: { readonly batches: Batches }): Pick<Handlers, BatchCall> => ({
  createBatch: async ({ principal, body: { endpoint, input_file_id, metadata = null } }) => {
    return { status: 200, body: batchView(await batches.create(principal.name, { endpoint, input_file_id, metadata })) }
  },
  listBatches: async ({ principal, query: { limit = 20, after } }) => {
    const { page, more } = await batches.list({ owner: principal.name, limit, ...(after === undefined ? {} : { after }) })
    return { status: 200, body: listView(page.map(batchView), more) }
  },
  retrieveBatch: async ({ principal, params }) => ({ status: 200, body: batchView(await batches.get(principal.name, params.batch)) }),
  cancelBatch: async ({ principal, params }) => ({ status: 200, body: batchView(await batches.cancel(principal.name, params.batch)) }),
})

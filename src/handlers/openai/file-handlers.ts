import { fileView, listView } from '../../doors/openai/batch-views.ts'
import type { Batches } from '../../services/batches/batches.ts'
import type { Files } from '../../services/batches/files.ts'
import type { Handlers } from '../handler.ts'

type FileOperation = 'createFile' | 'listFiles' | 'retrieveFile' | 'deleteFile' | 'downloadFile'

/** /v1/files: a key sees its own. */
export const fileHandlers = (services: { readonly files: Files; readonly batches: Batches }): Pick<Handlers, FileOperation> => {
  const { files, batches } = services
  return {
    createFile: async ({ principal, body }) => ({ status: 200, body: fileView(await files.create(principal.name, body)) }),
    listFiles: async ({ principal, query: { limit = 20, after, purpose } }) => {
      const of = { owner: principal.name, limit, ...(after === undefined ? {} : { after }) }
      if (purpose !== undefined && purpose !== 'batch' && purpose !== 'batch_output') return { status: 200, body: listView([], false) }
      const { page, more } = await files.list(purpose === undefined ? of : { ...of, purpose })
      return { status: 200, body: listView(page.map(fileView), more) }
    },
    retrieveFile: async ({ principal, params }) => ({ status: 200, body: fileView(await files.get(principal.name, params.file)) }),
    deleteFile: async ({ principal, params: { file } }) => {
      batches.checkFree(principal.name, file)
      await files.delete(principal.name, file)
      return { status: 200, body: { id: file, object: 'file', deleted: true } }
    },
    downloadFile: async ({ principal, params }) => ({ status: 200, content: files.content(await files.get(principal.name, params.file)) }),
  }
}

import type { Upload } from '../domain/batches/upload.ts'

/** What a request of an operation brings: JSON that was checked, a form that comes, or nothing. */
export type RequestBody<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? B
  : O extends { requestBody: { content: { 'multipart/form-data': unknown } } }
    ? Upload
    : unknown

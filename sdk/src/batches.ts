import type { components, operations } from '../generated/batches.ts'
import { bodyOf, type CallOptions } from './http.ts'
import { linesOf } from './lines.ts'
import { asConnectionError, Patience } from './patience.ts'
import type { Link } from './resumed.ts'

type Schemas = components['schemas']

/** One request of a batch. */
export type BatchLine = Schemas['BatchLine']
/** What a request of a batch came to. */
export type BatchResult = Schemas['BatchResult']

/** Statuses of a batch that change no more. */
const over: readonly string[] = ['completed', 'failed', 'expired', 'cancelled']
/** How often a batch is asked whether it is over: from the first doubling to the last, ms. */
const [soonest_ms, latest_ms] = [200, 5000]

export const filesOf = ({ http }: Link) => ({
  /**
   * Uploads a file of requests.
   * @param content requests, or their text, one to a line
   */
  create: (
    content: readonly BatchLine[] | string | Blob,
    { filename = 'batch.jsonl', ...options }: CallOptions & { filename?: string } = {},
  ) => {
    const text = typeof content === 'string' || content instanceof Blob ? content : content.map((line) => JSON.stringify(line)).join('\n')
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new Blob([text]), filename)
    return bodyOf(http.POST('/v1/files', { body: { purpose: 'batch', file: '' }, bodySerializer: () => form, ...options }))
  },
  get: (id: string, options?: CallOptions) => bodyOf(http.GET('/v1/files/{file}', { params: { path: { file: id } }, ...options })),
  /** One page, newest first; `after` takes the `last_id` of the page before. */
  list: (query: NonNullable<operations['listFiles']['parameters']['query']> = {}, options?: CallOptions) =>
    bodyOf(http.GET('/v1/files', { params: { query }, ...options })),
  delete: (id: string, options?: CallOptions) => bodyOf(http.DELETE('/v1/files/{file}', { params: { path: { file: id } }, ...options })),
  /** The content as it comes; what a batch writes can be read while it is written. */
  content: async (id: string, options?: CallOptions): Promise<ReadableStream<Uint8Array>> => {
    const body: ReadableStream<Uint8Array> | null = await bodyOf(
      http.GET('/v1/files/{file}/content', { params: { path: { file: id } }, parseAs: 'stream', ...options }),
    )
    return body ?? new Blob([]).stream()
  },
})

export const batchesOf = (link: Link) => {
  const { http, timing } = link
  const files = filesOf(link)
  const get = (id: string, options?: CallOptions) =>
    bodyOf(http.GET('/v1/batches/{batch}', { params: { path: { batch: id } }, ...options }))
  /**
   * Waits until a batch is over, whatever has become of it; a restart of the daemon is waited out.
   * @throws ApiError, ConnectionError once patience ends; the signal's reason where it aborts
   */
  const ended = async (id: string, { signal }: CallOptions = {}): ReturnType<typeof get> => {
    const patience = new Patience(timing, link.patience_ms)
    for (let ms = soonest_ms; ; ms = Math.min(latest_ms, ms * 2))
      try {
        const batch = await get(id, signal === undefined ? {} : { signal })
        if (over.includes(batch.status)) return batch
        patience.restore()
        await timing.sleep(ms, signal)
      } catch (error) {
        signal?.throwIfAborted()
        await patience.wait(error, signal)
      }
  }
  return {
    /** Has a file of requests worked off. */
    create: (
      { completion_window = '24h', ...body }: Omit<Schemas['BatchRequest'], 'completion_window'> & Partial<Schemas['BatchRequest']>,
      options?: CallOptions,
    ) => bodyOf(http.POST('/v1/batches', { body: { ...body, completion_window }, ...options })),
    get,
    /** One page, newest first; `after` takes the `last_id` of the page before. */
    list: (query: NonNullable<operations['listBatches']['parameters']['query']> = {}, options?: CallOptions) =>
      bodyOf(http.GET('/v1/batches', { params: { query }, ...options })),
    /** What has been answered stays. */
    cancel: (id: string, options?: CallOptions) =>
      bodyOf(http.POST('/v1/batches/{batch}/cancel', { params: { path: { batch: id } }, ...options })),
    ended,
    /**
     * Waits until a batch is over and tells what its lines came to: first those with an answer, then those that failed, each as they ended.
     * @throws as `ended`; ConnectionError where a file breaks off
     */
    async *results(id: string, options: CallOptions = {}): AsyncGenerator<BatchResult, void, undefined> {
      const { output_file_id, error_file_id } = await ended(id, options)
      for (const file of [output_file_id, error_file_id]) {
        if (file == null) continue
        try {
          for await (const line of linesOf(await files.content(file, options))) yield JSON.parse(line) as BatchResult
        } catch (error) {
          options.signal?.throwIfAborted()
          throw asConnectionError(error)
        }
      }
    },
  }
}

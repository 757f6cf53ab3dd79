import { DomainError } from '../../../domain/errors.ts'
import type { Principal } from '../../../domain/principal.ts'
import type { ChatMessage } from '../../../domain/task.ts'
import { ResponseFrames } from '../../../doors/openai/responses/frames.ts'
import { messagesOf, type InputItem } from '../../../doors/openai/responses/input.ts'
import { itemsGiven, type GivenItem } from '../../../doors/openai/responses/input-items.ts'
import type { ConversationBefore } from '../../../doors/openai/responses/request.ts'
import { keptResponse, taskIdOf } from '../../../doors/openai/responses/kept.ts'
import type { ResponseHead, ResponseObject } from '../../../doors/openai/responses/response.ts'
import type { Streams, OpenedStream } from '../../../services/tasks/streams.ts'
import type { Tasks } from '../../../services/tasks/tasks.ts'

/** A response that is kept, as its own key sees it. */
export interface StoredResponse {
  readonly head: ResponseHead
  readonly reader: OpenedStream['reader']
  readonly frames: ResponseFrames
}

/** What stored responses work with. */
export interface StoredResponsesParts {
  readonly streams: Pick<Streams, 'open'>
  readonly tasks: Pick<Tasks, 'get'>
}

/** Reads responses that are kept. There is nothing but their tasks: what was asked, what is told beside it, and the event log. */
export class StoredResponses {
  private readonly parts: StoredResponsesParts

  constructor(parts: StoredResponsesParts) {
    this.parts = parts
  }

  /** @param after number of the last event that is there already @throws DomainError not_found */
  async open(principal: Principal, response_id: string, after: number): Promise<StoredResponse> {
    let made: Pick<StoredResponse, 'head' | 'frames'> | undefined
    const opened = await this.parts.streams
      .open(principal, taskIdOf(response_id), { kind: 'start' }, ({ task_id, accepted_at, request, kept }) => {
        const told = keptResponse(kept)
        if (told === undefined) throw gone(response_id)
        const head = { task_id, accepted_at, request, told }
        made = { head, frames: new ResponseFrames(head, { after }) }
        return made.frames
      })
      .catch((error: unknown) => {
        throw error instanceof DomainError && error.kind === 'not_found' ? gone(response_id) : error
      })
    if (made === undefined) throw new Error('a stream was opened without its format')
    return { ...made, reader: opened.reader }
  }

  /** A response as it stands. @throws DomainError not_found */
  async get(principal: Principal, response_id: string): Promise<ResponseObject> {
    const { frames, done } = await this.look(principal, response_id)
    if (done) return frames.response()
    const { state } = await this.parts.tasks.get(principal, taskIdOf(response_id))
    // It may have ended since it was looked at.
    return state === 'queued' || state === 'running'
      ? frames.response(state === 'queued' ? 'queued' : 'in_progress')
      : this.get(principal, response_id)
  }

  /** What a response was asked, as items. @throws DomainError not_found */
  async items(principal: Principal, response_id: string): Promise<GivenItem[]> {
    const { head } = await this.look(principal, response_id)
    return itemsGiven(head.task_id, saidIn(head), head.told.marks)
  }

  /** The conversation up to a response, this included. @throws DomainError not_found, or invalid_params while it is not complete */
  async conversation(principal: Principal, response_id: string): Promise<ConversationBefore> {
    const { head, frames, done } = await this.look(principal, response_id)
    if (!done) throw new DomainError('invalid_params', `body.previous_response_id: ${response_id} has not ended; wait for its end.`)
    return { messages: [...saidIn(head), ...messagesOf(frames.output)], marks: head.told.marks }
  }

  /** The items with those that are only named. @throws DomainError not_found */
  async withReferences(principal: Principal, input: readonly InputItem[]): Promise<InputItem[]> {
    return Promise.all(input.map(async (item) => (item.type === 'item_reference' ? await this.referenced(principal, item.id ?? '') : item)))
  }

  private async referenced(principal: Principal, id: string): Promise<InputItem> {
    const [, task_id = '', given, index] = /^[a-z]+_(.+)_(i?)(\d+)$/.exec(id) ?? []
    const { head, frames } = await this.look(principal, task_id)
    const found = given === 'i' ? itemsGiven(task_id, saidIn(head), head.told.marks)[Number(index)] : frames.output[Number(index)]
    if (found?.id !== id) throw gone(id)
    return found
  }

  private async look(
    principal: Principal,
    response_id: string,
  ): Promise<Pick<StoredResponse, 'head' | 'frames'> & { readonly done: boolean }> {
    const { reader, ...stored } = await this.open(principal, response_id, Infinity)
    reader.take(Infinity)
    reader.close()
    return { ...stored, done: reader.done }
  }
}

const gone = (id: string): DomainError =>
  new DomainError('not_found', `There is no ${id}: it was not stored, was deleted, or its retention has ended.`, { absent: 'response' })

/** What a response was asked, without the instructions. */
const saidIn = ({ request: { messages = [] }, told }: ResponseHead): readonly ChatMessage[] =>
  told.instructed ? messages.slice(1) : messages

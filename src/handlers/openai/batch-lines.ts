import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import type { Translated } from '../../doors/common/translated.ts'
import { chatCompletion } from '../../doors/openai/chat-answer.ts'
import { chatTask } from '../../doors/openai/chat-request.ts'
import { completionAnswer } from '../../doors/openai/completion-frames.ts'
import { completionTask } from '../../doors/openai/completion-request.ts'
import { embeddingList, embeddingTask } from '../../doors/openai/vectors.ts'
import { checkWellFormed } from '../../domain/artifact.ts'
import { checkNesting } from '../../domain/nesting.ts'
import type { BatchEndpoint } from '../../domain/batches/batch.ts'
import type { Artifacts } from '../../services/artifacts.ts'
import type { AskLine, LineRequest, OpenLine } from '../../services/batches/ask-line.ts'
import type { DoorTask, DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { HandlerRequest } from '../handler.ts'

/** Longest time a task may have, ms: the batch ends its tasks itself when its window closes. */
const deadline_ms = 86_400_000

/** What the lines of batches are asked with. */
export interface LineParts {
  readonly artifacts: Pick<Artifacts, 'get'>
  readonly doorTasks: DoorTasks
  /** Checks a body as the operation does. @throws DomainError invalid_params */
  readonly check: (operation: BatchOperation, body: unknown) => Promise<void>
}

/** Operations that the lines of a batch may ask for. */
export type BatchOperation = 'createChatCompletion' | 'createCompletion' | 'createEmbedding'

/** The operation that an endpoint of a batch stands for. */
export const operationOf = {
  '/v1/chat/completions': 'createChatCompletion',
  '/v1/completions': 'createCompletion',
  '/v1/embeddings': 'createEmbedding',
} as const satisfies Readonly<Record<BatchEndpoint, BatchOperation>>

type Body<Op extends BatchOperation> = HandlerRequest<Op>['body']
type AnswerOf = (task: DoorTask, answer: WholeAnswer) => unknown

/** Has lines answered by the operations of this door, as tasks of the class batch. */
export function batchLines({ artifacts, doorTasks, check }: LineParts): AskLine {
  const open = async ({ principal, task_id }: LineRequest, translated: Translated, answerOf: AnswerOf): Promise<OpenLine> => {
    const answer = new WholeAnswer()
    const request = { ...translated.request, task_id, priority: 'batch' as const, deadline_ms }
    const asked = { ...translated, request, principal, correlation_id: task_id, stays: true, background: true }
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const close = (): void => source.close()
    const ended = source.ended().finally(close)
    return { answer: ended.then(() => answerOf(task, answer)), close }
  }
  const endpoints: Readonly<Record<BatchEndpoint, AskLine>> = {
    '/v1/chat/completions': async (line) => {
      const body = line.body as Body<'createChatCompletion'>
      return open(line, chatTask(body), chatCompletion)
    },
    '/v1/completions': async (line) => {
      const body = line.body as Body<'createCompletion'>
      return open(line, completionTask(body), completionAnswer)
    },
    '/v1/embeddings': async (line) => {
      const body = line.body as Body<'createEmbedding'>
      return open(line, { request: embeddingTask(body) }, async ({ model }, answer) => {
        const { tokens_in, result_artifact_id = '' } = answer.completed
        const { content } = await artifacts.get(line.principal, result_artifact_id)
        const { vectors } = JSON.parse(content) as { readonly vectors: readonly (readonly number[])[] }
        return embeddingList({ ...body, model }, vectors, tokens_in)
      })
    },
  }
  return async (line) => {
    checkNesting(line.body)
    checkWellFormed(line.body)
    await check(operationOf[line.endpoint], line.body)
    return endpoints[line.endpoint](line)
  }
}

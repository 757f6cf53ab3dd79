import { embeddingList, embeddingTask, rankingOf, rerankTask } from '../../doors/openai/vectors.ts'
import type { TaskRequest } from '../../domain/task.ts'
import type { Artifacts } from '../../services/artifacts.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, whole } from '../asked.ts'
import type { Handlers, HandlerRequest } from '../handler.ts'

interface Parts {
  readonly artifacts: Pick<Artifacts, 'get'>
  readonly doorTasks: DoorTasks
}

type Vectors = 'createEmbedding' | 'createRerank'

/** POST /v1/embeddings and /v1/rerank: tasks without tokens, whose result is an artifact. */
export function vectorHandlers({ artifacts, doorTasks }: Parts): Pick<Handlers, Vectors> {
  const open = <B>(asking: HandlerRequest<Vectors>, request: TaskRequest, bodyOf: (content: string, tokens: number, model: string) => B) =>
    whole(doorTasks, askedBy(asking, { request }), async ({ model }, { completed: { tokens_in, result_artifact_id = '' } }) => {
      const { content } = await artifacts.get(asking.principal, result_artifact_id)
      return bodyOf(content, tokens_in, model)
    })
  return {
    createEmbedding: (asking) =>
      open(asking, embeddingTask(asking.body), (content, tokens, model) => {
        const { vectors } = JSON.parse(content) as { readonly vectors: readonly (readonly number[])[] }
        return embeddingList({ ...asking.body, model }, vectors, tokens)
      }),
    createRerank: (asking) =>
      open(asking, rerankTask(asking.body), (content, tokens, model) => {
        const { scores } = JSON.parse(content) as { readonly scores: readonly number[] }
        return rankingOf({ ...asking.body, model }, scores, tokens)
      }),
  }
}

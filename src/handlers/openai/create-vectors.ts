import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import { embeddingList, embeddingTask, rankingOf, rerankTask } from '../../doors/openai/vectors.ts'
import type { Principal } from '../../domain/principal.ts'
import type { TaskRequest } from '../../domain/task.ts'
import type { Artifacts } from '../../services/artifacts.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, taskHeaders } from '../asked.ts'
import type { Handlers, HandlerRequest } from '../handler.ts'

interface Parts {
  readonly artifacts: Pick<Artifacts, 'get'>
  readonly doorTasks: DoorTasks
}

type Vectors = 'createEmbedding' | 'createRerank'

/** POST /v1/embeddings and /v1/rerank: tasks without tokens, whose result is an artifact. */
export function vectorHandlers({ artifacts, doorTasks }: Parts): Pick<Handlers, Vectors> {
  const open = async <T, B>(asking: HandlerRequest<Vectors>, request: TaskRequest, bodyOf: (result: T, tokens: number) => B) => {
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(askedBy(asking, { request }), () => answer)
    const value = source.ended().then(async () => {
      const { tokens_in, result_artifact_id = '' } = answer.completed
      return bodyOf((await resultOf(artifacts, asking.principal, result_artifact_id)) as T, tokens_in)
    })
    return { status: 200, coming: { value, close: () => source.close() }, headers: taskHeaders(task) } as const
  }
  return {
    createEmbedding: (asking) =>
      open(asking, embeddingTask(asking.body), ({ vectors }: { readonly vectors: number[][] }, tokens) =>
        embeddingList(asking.body, vectors, tokens),
      ),
    createRerank: (asking) =>
      open(asking, rerankTask(asking.body), ({ scores }: { readonly scores: number[] }, tokens) => rankingOf(asking.body, scores, tokens)),
  }
}

/** What the dispatcher stored as the result of a task. */
async function resultOf(artifacts: Pick<Artifacts, 'get'>, principal: Principal, id: string): Promise<unknown> {
  const { content } = await artifacts.get({ ...principal, roles: ['data'] }, id)
  return JSON.parse(content) as unknown
}

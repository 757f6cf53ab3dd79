import assert from 'node:assert/strict'
import type { TaskRequest } from '../../../src/domain/task.ts'
import { refusalOf, type Rig, type RigOptions, type TaskFields } from '../../harness/rig.ts'
import { ask, coder, start } from '../pools/names.kit.ts'

describe('defaults of a model', () => {
  const defaults = { max_tokens: 20, priority: 'batch', deadline_ms: 5000, sampling: { temperature: 0.2, top_p: 0.9 } }
  const rigWith = (options: RigOptions = {}): Promise<Rig> => start({ models: [{ ...coder, defaults }], ...options })
  const little = (fields: TaskFields = {}): TaskFields =>
    ask({ ctx: undefined, priority: undefined, max_tokens: undefined, deadline_ms: undefined, ...fields })

  it('fill what a task leaves out, of its sampling field by field', async () => {
    const rig = await rigWith()
    await rig.run(little({ task_id: 'a', sampling: { top_p: 0.5, stop: ['x'] } }))
    const { priority, max_tokens, deadline_ms, sampling } = rig.task('a').accepted.request
    assert.deepEqual(
      { priority, max_tokens, deadline_ms, sampling },
      { ...defaults, sampling: { temperature: 0.2, top_p: 0.5, stop: ['x'] } },
    )
    assert.deepEqual(rig.engine('rack/r0').call.request.sampling, { temperature: 0.2, top_p: 0.5, stop: ['x'] })
    const own = { priority: 'interactive', max_tokens: 7, deadline_ms: 9000, sampling: { temperature: 1, top_p: 1 } } as const
    await rig.run(ask({ task_id: 'b', ...own }))
    const { request } = rig.task('b').accepted
    for (const [field, value] of Object.entries(own)) assert.deepEqual(request[field as keyof TaskRequest], value)
  })

  it('ask for no more than the context and the key have', async () => {
    const rig = await rigWith({
      props: { ctx_max: 10 },
      models: [{ ...coder, defaults: { ...defaults, priority: 'interactive' } }],
      keyLimits: { ann: { top_priority: 'batch' } },
    })
    await rig.run(little({ task_id: 'a' }))
    const { max_tokens, ctx, priority } = rig.task('a').accepted.request
    assert.deepEqual([max_tokens, ctx, priority], [7, 10, 'batch'])
  })

  it('are none of what generates nothing', async () => {
    const rig = await rigWith({ props: { workloads: ['completion', 'embedding'] } })
    await rig.run(little({ task_id: 'a', prompt: undefined, workload: 'embedding', inputs: ['x'] }))
    const requests = rig.storage.facts('accepted').map(({ task }) => task.request)
    assert.deepEqual(
      requests.map(({ max_tokens, sampling }) => [max_tokens, sampling]),
      [[1, undefined]],
    )
  })

  it('make no other body of the same request', async () => {
    const rig = await rigWith()
    for (const sampling of [undefined, {}, { top_p: 0.5 }]) {
      const task = little({ task_id: `a-${JSON.stringify(sampling)}`, sampling, session_id: undefined })
      const first = await rig.run(task)
      assert.deepEqual(await rig.run(task), first)
      const other = { ...task, sampling: { temperature: 0.2, top_p: 0.9 } }
      assert.equal((await refusalOf(rig.admit(other))).kind, 'conflict')
    }
  })
})

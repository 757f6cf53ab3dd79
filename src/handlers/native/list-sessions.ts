import { taskKeyOf } from '../../domain/task.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'
import { pageOf } from '../pages.ts'

/** GET /v1/sessions */
export const listSessions =
  ({ sessions, pools }: { readonly sessions: Sessions; readonly pools: Pick<Pools, 'all'> }): Handler<'listSessions'> =>
  async ({ principal, query }) => ({
    status: 200,
    body: await pageOf('sessions', principal, query, (of) =>
      sessions.list(principal, of, ({ owner, session_id }) =>
        pools.all().flatMap(({ id: pool_id, warmth }) => {
          const replica_id = warmth.replicaOf(taskKeyOf(owner, session_id))
          return replica_id === undefined ? [] : [{ pool_id, replica_id }]
        }),
      ),
    ),
  })

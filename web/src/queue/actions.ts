import { ask } from '../dialog.tsx'
import type { FeedPool } from '../live/types.ts'
import { client } from '../session.ts'
import { counted } from '../text.ts'

const minute_ms = 60_000

/** Asks whether a pool is to be drained, with what would follow. */
export function askDrain({ pool_id, running, waiting }: FeedPool): void {
  const waits = waiting.interactive + waiting.batch
  ask({
    title: `Drain ${pool_id}?`,
    lines: [
      `New tasks for ${pool_id} are refused at once (503, with the time to come back).`,
      running === 0 ? 'Nothing runs there.' : `${counted(running, 'running task')} ${running === 1 ? 'finishes' : 'finish'}.`,
      waits === 0
        ? 'Nothing waits there.'
        : `${counted(waits, 'waiting task')} ${waits === 1 ? 'waits' : 'wait'} for Resume where no other pool serves the model.`,
      'What is left at the end of the time below ends with POOL_UNREADY and may be sent again.',
    ],
    go: `Drain ${pool_id}`,
    field: { label: 'Give running tasks', value: '30', after: 'minutes' },
    run: (value) => client.peek().pools.drain(pool_id, { deadline_ms: minutesOf(value) }),
  })
}

/** Minutes as somebody typed them, ms. @throws Error where they are none */
function minutesOf(value: string): number {
  const minutes = Number(value)
  if (!(minutes > 0) || !Number.isFinite(minutes)) throw new Error('Minutes have to be a number above 0.')
  return Math.round(minutes * minute_ms)
}

/** Asks whether a pool is to take tasks again. */
export function askResume({ pool_id, waiting, slots, busy }: FeedPool): void {
  const waits = waiting.interactive + waiting.batch
  const start = Math.min(waits, Math.max(0, slots - busy))
  ask({
    title: `Resume ${pool_id}?`,
    lines: [`It takes tasks again${start === 0 ? '' : `; ${counted(start, 'waiting task')} ${start === 1 ? 'starts' : 'start'} at once`}.`],
    go: `Resume ${pool_id}`,
    run: () => client.peek().pools.resume(pool_id),
  })
}

/** Asks which model is to be put on a pool; the same one again loads it anew. */
export function askReload({ pool_id, model }: FeedPool): void {
  ask({
    title: `Reload ${pool_id}?`,
    lines: [
      'The model below is loaded in place of the one that serves now; running tasks finish first.',
      'If the new model does not come up, the old one serves again.',
    ],
    go: `Reload ${pool_id}`,
    field: { label: 'Model', value: model, wide: true },
    run: (value) => client.peek().pools.reload(pool_id, { model_ref: value.trim() }),
  })
}

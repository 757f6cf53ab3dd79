import { ask, tell, type Question } from '../dialog.tsx'
import type { FeedPool, Foresight } from '../live/types.ts'
import { client } from '../session.ts'
import { counted, listed } from '../text.ts'

const minute_ms = 60_000
const drain_minutes = 30

/** Asks with what the daemon says would follow at this moment; where it cannot say, with why. */
function askForeseen(foreseen: Promise<Foresight>, question: (foresight: Foresight) => Question, title: string): void {
  foreseen.then(
    (foresight) => ask(question(foresight)),
    (error: unknown) => tell(title, error),
  )
}

/** What becomes of those that run. */
const runningLine = ({ running }: Foresight): string =>
  running === 0 ? 'Nothing runs there.' : `${counted(running, 'running task')} ${running === 1 ? 'finishes' : 'finish'}.`

/** What becomes of those that wait. @param stay what those do that cannot move */
function waitingLines({ waiting, movable, moves_to, late }: Foresight, stay: string): string[] {
  const left = waiting - movable
  const to = moves_to.map(({ pool_id, tasks }) => `${tasks} to ${pool_id}`)
  return [
    waiting === 0 ? 'Nothing waits there.' : '',
    movable === 0 ? '' : `${counted(movable, 'waiting task')} ${movable === 1 ? 'moves' : 'move'}: ${listed(to)}.`,
    left === 0
      ? ''
      : `${counted(left, 'waiting task')}: no other pool serves ${left === 1 ? 'its' : 'their'} model, so ${left === 1 ? 'it' : 'they'} ${stay}.`,
    late === 0 ? '' : `${counted(late, 'task')} would probably be late.`,
  ].filter((line) => line !== '')
}

/** Asks whether a pool is to be drained. */
export function askDrain({ pool_id }: FeedPool): void {
  const deadline = { deadline_ms: drain_minutes * minute_ms }
  const question = (foresight: Foresight): Question => ({
    title: `Drain ${pool_id}?`,
    lines: [
      `New tasks for ${pool_id} are refused at once (503, with the time to come back).`,
      runningLine(foresight),
      ...waitingLines(foresight, `${foresight.waiting - foresight.movable === 1 ? 'is' : 'are'} worked off here`),
      'What is left at the end of the time below ends with POOL_UNREADY and may be sent again.',
    ],
    go: `Drain ${pool_id}`,
    field: { label: 'Give running tasks', value: String(drain_minutes), after: 'minutes' },
    run: (value) => client.peek().pools.drain(pool_id, { deadline_ms: minutesOf(value) }),
  })
  askForeseen(client.peek().pools.foresee.drain(pool_id, deadline), question, `Drain ${pool_id}?`)
}

/** Minutes as somebody typed them, ms. @throws Error where they are none */
export function minutesOf(value: string): number {
  const minutes = Number(value)
  if (!(minutes > 0) || !Number.isFinite(minutes)) throw new Error('Minutes have to be a number above 0.')
  return Math.round(minutes * minute_ms)
}

/** Asks whether a pool is to take tasks again. */
export function askResume({ pool_id, waiting, slots, busy }: FeedPool): void {
  const start = Math.min(waiting.interactive + waiting.batch, Math.max(0, slots - busy))
  ask({
    title: `Resume ${pool_id}?`,
    lines: [`It takes tasks again${start === 0 ? '' : `; ${counted(start, 'waiting task')} ${start === 1 ? 'starts' : 'start'} at once`}.`],
    go: `Resume ${pool_id}`,
    run: () => client.peek().pools.resume(pool_id),
  })
}

/** Asks which model is to be put on a pool; the same one again loads it anew. */
export function askReload({ pool_id, model, running, waiting }: Pick<FeedPool, 'pool_id' | 'model' | 'running' | 'waiting'>): void {
  const waits = waiting.interactive + waiting.batch
  ask({
    title: `Reload ${pool_id}?`,
    lines: [
      `The model below takes the place of the one that serves now; ${running === 0 ? 'nothing runs' : `${counted(running, 'running task')} ${running === 1 ? 'finishes' : 'finish'} first`}, ${counted(waits, 'waiting task')} ${waits === 1 ? 'waits' : 'wait'}.`,
      'If the new model does not come up, the old one serves again.',
    ],
    go: `Reload ${pool_id}`,
    field: { label: 'Model', value: model, wide: true },
    run: (value) => client.peek().pools.reload(pool_id, { model_ref: value.trim() }),
  })
}

/** Asks whether a pool that is asleep is to be loaded now, in whoever's place. */
export function askLoad({ pool_id }: Pick<FeedPool, 'pool_id'>): void {
  const question = (foresight: Foresight): Question => {
    const others = foresight.pools.filter((id) => id !== pool_id)
    return {
      title: `Load ${pool_id} now?`,
      lines: [
        others.length === 0
          ? 'There is room for it: nobody has to go.'
          : `${listed(others)} ${others.length === 1 ? 'makes' : 'make'} room when ${others.length === 1 ? 'its' : 'their'} running tasks have ended.`,
        `${counted(foresight.running, 'task')} run there and ${counted(foresight.waiting, 'task')} wait.`,
        foresight.late === 0 ? 'None would probably be late.' : `${counted(foresight.late, 'task')} would probably be late.`,
      ],
      go: `Load ${pool_id}`,
      run: () => client.peek().pools.load(pool_id),
    }
  }
  askForeseen(client.peek().pools.foresee.load(pool_id), question, `Load ${pool_id} now?`)
}

/** Asks whether a model is to leave the memory of its devices. */
export function askUnload({ pool_id }: Pick<FeedPool, 'pool_id'>): void {
  const question = (foresight: Foresight): Question => ({
    title: `Unload ${pool_id}?`,
    lines: [
      'No further task begins there; its model leaves the memory when nothing runs.',
      runningLine(foresight),
      ...waitingLines(foresight, `${foresight.waiting - foresight.movable === 1 ? 'waits' : 'wait'} until it is loaded again`),
    ],
    go: `Unload ${pool_id}`,
    run: () => client.peek().pools.unload(pool_id),
  })
  askForeseen(client.peek().pools.foresee.unload(pool_id), question, `Unload ${pool_id}?`)
}

import { emptyMark, sameMark, type Mark } from '../../domain/stream/mark.ts'
import type { ResumePoint } from '../../domain/stream/task-log.ts'

/** Id of the terminal frame; a reader that sends it back has everything. */
export const endId = 'end'

/** Id of the `started` frame. */
export const startedId = '0'

/** `<bytes>-<eight hex digits>`: the id of a frame that has a part. */
export const formatMark = (mark: Mark): string => `${mark.bytes}-${mark.hash.toString(16).padStart(8, '0')}`

/** Undefined where it is not the id of a frame that has a part. */
export function parseMark(id: string): Mark | undefined {
  const match = /^(0|[1-9][0-9]{0,14})-([0-9a-f]{8})$/.exec(id)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { bytes: Number(match[1]), hash: Number.parseInt(match[2], 16) }
}

/** Where a reader goes on that sends this `Last-Event-ID`; undefined where it is not an id this daemon writes. */
export function resumePoint(last_event_id: string | undefined): ResumePoint | undefined {
  if (last_event_id === undefined || last_event_id === '') return { kind: 'start' }
  if (last_event_id === startedId) return { kind: 'after_started' }
  if (last_event_id === endId) return { kind: 'nothing' }
  const mark = parseMark(last_event_id)
  if (mark === undefined) return undefined
  return sameMark(mark, emptyMark) ? { kind: 'after_started' } : { kind: 'after', mark }
}

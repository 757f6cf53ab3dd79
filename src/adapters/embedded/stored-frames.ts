import type { DatabaseSync } from 'node:sqlite'
import { PartLog } from '../../domain/stream/part-log.ts'

/** Teaches SQLite to read the frames that schemas 1 to 3 stored, for the migration that turns them into events. */
export function addFrameFunctions(db: DatabaseSync): void {
  const options = { deterministic: true, directOnly: true }
  db.function('data_of_frame', options, (frame) => dataOfFrame(String(frame)))
  db.function('lines_of_frames', options, (frames) => linesOfFrames(String(frames)))
  db.function('terminal_of_frame', options, (frame) => terminalOfFrame(String(frame)))
}

/** The data of an SSE frame, which was one line; empty where there was no frame. */
function dataOfFrame(frame: string): string {
  const start = frame.indexOf('data: ')
  return start < 0 ? '' : frame.slice(start + 'data: '.length, frame.indexOf('\n', start))
}

/** Token frames back to back as lines of parts. */
function linesOfFrames(frames: string): string {
  const log = new PartLog()
  for (const frame of frames.split('\n\n')) {
    if (frame === '') continue
    const { t } = JSON.parse(dataOfFrame(`${frame}\n`)) as { readonly t: string }
    log.push({ kind: 'text', text: t })
  }
  return log.joined
}

const terminalOfFrame = (frame: string): string => `{"${frame.includes('\nevent: error\n') ? 'error' : 'end'}":${dataOfFrame(frame)}}`

import { DaemonEvents } from '../../src/services/daemon-events.ts'

/** Daemon events that nobody's mistakes are hidden in: what a listener throws reaches whoever emits. */
export const strictEvents = (): DaemonEvents =>
  new DaemonEvents((error) => {
    throw error
  })

import type { DaemonEvent, DaemonListener, EventSink } from '../domain/daemon-events.ts'

/** Tells listeners what happens in the daemon. A listener that throws harms neither the flow nor the other listeners. */
export class DaemonEvents implements EventSink {
  private readonly listeners = new Set<DaemonListener>()
  private readonly report: (error: unknown) => void

  /** @param report gets what a listener throws */
  constructor(report: (error: unknown) => void) {
    this.report = report
  }

  /** From now on the listener gets every event. Returns how to stop. */
  listen(listener: DaemonListener): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  emit(event: DaemonEvent): void {
    for (const listener of this.listeners)
      try {
        listener(event)
      } catch (error) {
        this.report(error)
      }
  }
}

import type { AcceptedTask, TaskAcceptedReply } from '../../domain/task.ts'
import { repeated } from './accepted-reply.ts'

interface Flying {
  readonly digest: string | undefined
  readonly reply: Promise<TaskAcceptedReply>
}

/** Requests being admitted: a twin waits for the same commit, and another request with the same id for what becomes of it. */
export class Twins {
  private readonly flying = new Map<string, Flying>()

  /**
   * Accepts a task once.
   * @param id of the task, its owner's included
   * @param digest of the request
   * @param live the task of this id that is live
   */
  async once(
    id: string,
    digest: string | undefined,
    live: () => AcceptedTask | undefined,
    accept: () => Promise<TaskAcceptedReply>,
  ): Promise<TaskAcceptedReply> {
    for (let other = this.flying.get(id); other !== undefined; other = this.flying.get(id)) {
      if (other.digest === digest) return other.reply
      // Only a task that is accepted takes the id; if that one is refused, this one is judged by itself.
      await other.reply.catch(() => undefined)
    }
    const known = live()
    if (known !== undefined) return repeated(known, digest)
    const reply = accept()
    this.flying.set(id, { digest, reply })
    try {
      return await reply
    } finally {
      this.flying.delete(id)
    }
  }
}

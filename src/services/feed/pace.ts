/** How often the feed looks, ms. */
export const beat_ms = 100
/** How many beats are from one look to the next where much happens, to the next at progress, and at what is told once a second. */
const beats_of_much = 3
const beats_of_progress = 3
const beats_of_all = 10
/** Where more run than these, each is looked at in the turn of its pool alone. */
const many = 100
/** Where something happens to more tasks in a beat nobody follows it task by task: two beats of three are left out. */
const much = 8

/** What is looked at in a beat beside what has changed. */
export interface Look {
  /** What is told once a second. */
  readonly slowly: boolean
  readonly progress: boolean
}

/** When the feed looks at what. */
export class Pace {
  /** Beats so far. */
  beats = 0
  /** The beat of the newest look, and of the newest at progress; how many beats are until the next. */
  private looked = 0
  private progressed = 0
  private stride = 1
  private manyRun = false
  /** Turns so far: one a beat, each of its pools. */
  private turned = 0

  /**
   * The next beat. Returns whether it is the turn of a pool, by its place, once a second: a beat in which nothing is looked at takes the turn of the
   * next one, too, so that neither takes long.
   */
  next(): (index: number) => boolean {
    this.beats++
    const from = this.turned
    const to = (this.turned = Math.max(from, this.beats + (this.rests ? 1 : 0)))
    return (index) => {
      for (let turn = from + 1; turn <= to; turn++) if ((turn - index) % beats_of_all === 0) return true
      return false
    }
  }

  /** What is looked at in this beat; undefined where that is nothing. @param dirty something has changed since the newest look */
  look(dirty: boolean): Look | undefined {
    const slowly = this.isSlow
    const progress = !this.manyRun && (slowly || this.beats - this.progressed >= beats_of_progress)
    if (slowly) return { slowly, progress }
    return this.rests || !(dirty || progress) ? undefined : { slowly, progress }
  }

  /** This is looked at. @param happened tasks to which something has happened since the newest look @param running those that run */
  looks({ progress }: Look, happened: number, running: number): void {
    this.manyRun = running > many
    this.stride = happened > much * Math.max(1, this.beats - this.looked) ? beats_of_much : 1
    this.looked = this.beats
    if (progress) this.progressed = this.beats
  }

  private get isSlow(): boolean {
    return this.beats % beats_of_all === 0
  }

  private get rests(): boolean {
    return !this.isSlow && this.beats - this.looked < this.stride
  }
}

/** How often the feed looks, ms; half a beat before, it looks ahead. */
export const beat_ms = 100
/** How many beats are from one look to the next where much happens, to the next at progress, and at what is told once a second. */
const beats_of_much = 2
const beats_of_progress = 3
const beats_of_all = 10
/** Where more run than these, each is looked at in the turn of its pool alone, once a second. */
const many = 100
/** Where something happens to more tasks in a beat nobody follows it task by task: every other beat is left out. */
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

  /** The next beat. Returns undefined where it is left out. @param dirty something has changed since the newest look */
  beat(dirty: boolean): Look | undefined {
    this.beats++
    const slowly = this.beats % beats_of_all === 0
    const progress = !this.manyRun && (slowly || this.beats - this.progressed >= beats_of_progress)
    if (slowly) return { slowly, progress }
    const rests = this.beats - this.looked < this.stride
    return rests || !(dirty || progress) ? undefined : { slowly, progress }
  }

  /** This is looked at. @param happened tasks to which something has happened since the newest look @param running those that run */
  look({ progress }: Look, happened: number, running: number): void {
    this.manyRun = running > many
    this.stride = happened > much * Math.max(1, this.beats - this.looked) ? beats_of_much : 1
    this.looked = this.beats
    if (progress) this.progressed = this.beats
  }

  /** Whether the next beat is the one of the second in which a pool is foreseen. @param index place of the pool */
  isDue(index: number): boolean {
    return (this.beats + 1 - index) % beats_of_all === 0
  }
}

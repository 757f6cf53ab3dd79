/**
 * Lets the text of a run that repeats an earlier one through from where that one stopped. The engine gives the same text again, but may cut it
 * into other pieces.
 */
export class Replay {
  private known: string

  /** @param known text that is out already */
  constructor(known: string) {
    this.known = known
  }

  /** The part of the piece that is new, maybe empty; undefined where the text is not the same. */
  take(piece: string): string | undefined {
    const { known } = this
    if (known === '') return piece
    const common = Math.min(known.length, piece.length)
    if (known.slice(0, common) !== piece.slice(0, common)) return undefined
    this.known = known.slice(common)
    return piece.slice(common)
  }

  /** Text that is out and did not come again; the run must not end before it has. */
  get missing(): boolean {
    return this.known !== ''
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** Joins text pieces so that none ends in half a surrogate pair. */
export class WholeCodePoints {
  private held = ''

  /** Takes a piece and returns whole code points (possibly none). A lone surrogate becomes U+FFFD. */
  push(piece: string): string {
    let text = this.held + piece
    this.held = ''
    if (text.length > 0 && isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.held = text.slice(-1)
      text = text.slice(0, -1)
    }
    return text.isWellFormed() ? text : text.toWellFormed()
  }

  /** What is left at the end of the stream. */
  flush(): string {
    const rest = this.held
    this.held = ''
    return rest.toWellFormed()
  }
}

/** What a screen showed, from a moment on. */
export interface Shot {
  /** Since the recording began, ms. */
  readonly at_ms: number
  /** Its lines, without spaces at their ends. */
  readonly lines: readonly string[]
}

/** How a recording looks. */
export interface Look {
  readonly columns: number
  readonly rows: number
  /** How long the last shot stays before the recording begins anew, ms. */
  readonly rest_ms: number
  /** What the picture is of, for who does not see it. */
  readonly title: string
}

const [char_px, line_px, margin_px, size_px] = [7.8, 17, 14, 13]

/**
 * A recording as one animated SVG, which needs no script: all shots lie beside each other and a window moves over them. A line that is shown
 * again is not written again.
 */
export function svgOf(shots: readonly Shot[], { columns, rows, rest_ms, title }: Look): string {
  const [width, height] = [Math.ceil(columns * char_px + 2 * margin_px), rows * line_px + 2 * margin_px]
  const kept = shots.filter(({ lines }, n) => lines.join('\n') !== shots[n - 1]?.lines.join('\n'))
  const whole_ms = (kept.at(-1)?.at_ms ?? 0) + rest_ms
  const ids = new Map<string, string>()
  const use = (line: string, row: number): string => {
    if (line === '') return ''
    const id = ids.get(line) ?? `l${ids.size}`
    ids.set(line, id)
    return `<use href="#${id}" y="${margin_px + size_px + row * line_px}"/>`
  }
  const drawn = kept.map(({ lines }, n) => `<g transform="translate(${n * width} 0)">${lines.map(use).join('')}</g>`)
  const moves = kept.map(({ at_ms }, n) => `${((100 * at_ms) / whole_ms).toFixed(2)}%{transform:translateX(${-n * width}px)}`)
  const texts = [...ids].map(([line, id]) => `<text id="${id}" class="${classOf(line)}">${escaped(line)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text{font:${size_px}px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:#d6dde6;white-space:pre}
.typed{fill:#8fd18f}.note{fill:#e8b86b}
.shots{animation:shots ${(whole_ms / 1000).toFixed(1)}s step-end infinite}
@keyframes shots{${moves.join('')}}
</style>
<rect width="100%" height="100%" rx="8" fill="#14181d"/>
<defs>
${texts.join('\n')}
</defs>
<svg x="${margin_px}" width="${width - 2 * margin_px}" height="${height}">
<g class="shots">
${drawn.join('\n')}
</g>
</svg>
</svg>
`
}

/** What somebody types begins with a dollar sign, what is said about it with a hash sign. */
const classOf = (line: string): string => (line.startsWith('$ ') ? 'typed' : line.startsWith('# ') ? 'note' : 'shown')

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)

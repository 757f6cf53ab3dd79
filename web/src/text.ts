/** C0 controls but tab and line feed, DEL, C1 controls, and what turns the direction of text or takes no room. */
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
const lines = /[\t\n]/g

const signOf = (char: string): string => {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7f ? '␡' : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
}

/** Text from outside with every character that could hide or turn text as a sign; it is on one line. */
export const shown = (text: string): string => text.replace(unseen, signOf).replace(lines, signOf)

/** The same for text of several lines: tabs and line feeds stay. */
export const shownLines = (text: string): string => text.replaceAll('\r\n', '\n').replace(unseen, signOf)

const two = (n: number): string => String(n).padStart(2, '0')

/** A time span as `m:ss`, from an hour on `h:mm:ss`, from a day on in days and hours. Less than nothing is nothing. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s >= 86_400) return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

/** A time of day, `hh:mm:ss`, on the reader's clock. @param at ms since 1970 */
export function timeOfDay(at: number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The same with the day in front where it is not today. */
export function dayAndTime(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  const time = timeOfDay(at)
  return date.toDateString() === today.toDateString()
    ? time
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`
}

/** A whole number with commas. */
export const whole = (n: number): string =>
  Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')

/** A context in tokens; the largest there may be stands for one that nobody has told. */
export const contextSize = (tokens: number): string => (tokens === 10_000_000 ? '–' : whole(tokens))

/** A figure that has little room: `352`, `9.1 k`, `1.2 M`. */
export function short(n: number): string {
  if (n >= 9_999_500) return `${Math.round(n / 1e6)} M`
  if (n >= 999_500) return `${(n / 1e6).toFixed(1)} M`
  if (n >= 1000) return `${(n / 1000).toFixed(1)} k`
  return n !== 0 && n < 10 && !Number.isInteger(n) ? n.toFixed(1) : String(Math.round(n))
}

/** A share as `81 %`. @param share 0 to 1 */
export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Bytes as GB with one digit, without the unit. */
export const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1)

/** Seconds with one digit, `2.9 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 99_950 ? 1 : 0)} s`

/** `1 task`, `2 tasks`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${whole(n)} ${n === 1 ? one : many}`

/** `a`, `a and b`, `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`

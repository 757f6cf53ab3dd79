/**
 * Mean of a gauge in a text of Prometheus: a server of several engines or ranks has a sample for each. Undefined where there is none.
 * @param names what versions call it; the first that has samples counts
 */
export function gaugeIn(text: string, ...names: string[]): number | undefined {
  for (const name of names) {
    const found = text.matchAll(new RegExp(String.raw`^${name}(?:\{[^}]*\})? (\S+)`, 'gm'))
    const values = [...found].map(([, value]) => Number(value)).filter(Number.isFinite)
    if (values.length > 0) return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  return undefined
}
